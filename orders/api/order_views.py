"""Sending, trying, listing and cancelling one's own orders."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, sees_trades, trades
from marketplace.api.idempotent import IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.pagination import page_of
from marketplace.api.serializers import checked_body
from marketplace.api.throttles import OrderEntryThrottle
from orders.api.filters import OrderFilter
from orders.api.order_serializers import (
    OrderInput,
    OrderOutput,
    OrderPage,
    OrderQuery,
    PreviewOutput,
    order_request,
)
from orders.models import Order
from orders.selectors.orders import order_of, orders_of
from orders.services.cancellation import cancel_order
from orders.services.submission import preview_order, submit_order

TAG = ["orders"]


class OrderEntryView(MemberView):
    """An endpoint of members who bid or ask; their bookkeepers may read."""

    readers = staticmethod(sees_trades)
    writers = staticmethod(trades)
    write_scope = "orders"
    throttle_classes = [OrderEntryThrottle]


class OrderList(OrderEntryView):
    """The organisation's orders, newest first; sending one."""

    @extend_schema(
        operation_id="orders_list", tags=TAG, parameters=[OrderQuery], responses=OrderPage
    )
    def get(self, request: Request) -> Response:
        """List the organisation's own orders."""
        query = OrderQuery.read(request)
        rows = orders_of(self.organisation).prefetch_related(
            "curve_steps", "options__legs__hub", "options__legs__product"
        )
        rows = OrderFilter(query, queryset=rows).qs
        return page_of(rows, request, OrderOutput, limit=query["limit"], after=query.get("after"))

    @extend_schema(
        operation_id="orders_submit",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=OrderInput,
        responses={201: OrderOutput},
    )
    def post(self, request: Request) -> Response:
        """Put an order into the book of an open auction; a bid's worst case is held first."""
        wanted = order_request(checked_body(OrderInput, request))

        def work() -> tuple[int, Any]:
            order = submit_order(actor=self.actor, request=wanted)
            return status.HTTP_201_CREATED, _described(self, order)

        return answer_with_key(self, work)


class OrderPreviewView(OrderEntryView):
    """What an order would cost and hold."""

    @extend_schema(
        operation_id="orders_preview",
        tags=TAG,
        request=OrderInput,
        responses={200: PreviewOutput},
    )
    def post(self, request: Request) -> Response:
        """Check an order and say what it would mean in money; nothing is sent."""
        wanted = order_request(checked_body(OrderInput, request))
        preview = preview_order(actor=self.actor, request=wanted)
        return Response(PreviewOutput(preview).data)


class OrderDetail(OrderEntryView):
    """One order of the organisation."""

    @extend_schema(operation_id="orders_read", tags=TAG, responses=OrderOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return one of the organisation's own orders."""
        order = order_of(self.organisation, public_id)
        if order is None:
            raise NotFound
        return Response(OrderOutput(order).data)


class OrderCancellation(OrderEntryView):
    """Taking an order out of the book."""

    http_method_names = ["post"]

    @extend_schema(
        operation_id="orders_cancel",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: OrderOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Cancel an order of an open auction; its hold is free at once."""

        def work() -> tuple[int, Any]:
            order = cancel_order(actor=self.actor, order_public_id=public_id)
            return status.HTTP_200_OK, _described(self, order)

        return answer_with_key(self, work, content="")


def _described(view: MemberView, order: Order) -> Any:
    """Return an order as its owner reads it."""
    return OrderOutput(order_of(view.organisation, order.public_id)).data
