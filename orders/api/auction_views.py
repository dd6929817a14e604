"""The public side of the auctions: what is on, what came out."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import PublicView
from marketplace.api.pagination import PageQuery, page_of
from marketplace.models import Hub, Product
from orders.api.auction_serializers import (
    AuctionDetailOutput,
    AuctionOutput,
    AuctionPage,
    AuctionQuery,
    CurveQuery,
    CurvesOutput,
    FlowList,
    PriceList,
    PriceQuery,
    ProductQuery,
    RunOutput,
    RunPage,
)
from orders.api.filters import AuctionFilter
from orders.models import ClearingRun
from orders.selectors.auctions import auction_detail, recent_auctions
from orders.selectors.order_book import merit_order
from orders.selectors.prices import clearing_prices
from orders.selectors.runs import link_flows, link_rents, published_runs

TAG = ["market"]
LATEST_GATE_FIRST = ("-gate_closes_at", "-id")


class AuctionList(PublicView):
    """The auctions, the latest gate first."""

    @extend_schema(
        operation_id="auctions_list", tags=TAG, parameters=[AuctionQuery], responses=AuctionPage
    )
    def get(self, request: Request) -> Response:
        """List auctions."""
        query = AuctionQuery.read(request)
        rows = AuctionFilter(query, queryset=recent_auctions()).qs
        return page_of(
            rows,
            request,
            AuctionOutput,
            limit=query["limit"],
            after=query.get("after"),
            order=LATEST_GATE_FIRST,
        )


class AuctionView(PublicView):
    """One auction."""

    @extend_schema(operation_id="auctions_read", tags=TAG, responses=AuctionDetailOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return an auction with its products, timeline and published run."""
        detail = auction_detail(public_id=public_id)
        if detail is None:
            raise NotFound
        return Response(AuctionDetailOutput(detail).data)


class AuctionPrices(PublicView):
    """The prices of an auction."""

    @extend_schema(
        operation_id="auctions_prices", tags=TAG, parameters=[PriceQuery], responses=PriceList
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return the prices of a product, by hub and period; none before publication."""
        query = PriceQuery.read(request)
        run = _run(public_id)
        product, hub = _product(query), _hub(query)
        rows: list[dict[str, Any]] = []
        if run is not None:
            is_delivered = query["kind"] == "delivered"
            rows = clearing_prices(
                run=run,
                product=product,
                hub=hub,
                is_delivered=is_delivered,
                carbon_class_g=query.get("carbon_class_g"),
            )
        return Response(PriceList({"published": run is not None, "results": rows}).data)


class AuctionFlows(PublicView):
    """What an auction carries over the links."""

    @extend_schema(
        operation_id="auctions_flows", tags=TAG, parameters=[ProductQuery], responses=FlowList
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return flows by link, product and period, and the rents of full links."""
        query = ProductQuery.read(request)
        run = _run(public_id)
        product = _product(query) if "product" in query else None
        found: dict[str, Any] = {"published": run is not None, "flows": [], "rents": []}
        if run is not None:
            found["flows"] = link_flows(run=run, product=product)
            found["rents"] = link_rents(run=run)
        return Response(FlowList(found).data)


class AuctionCurves(PublicView):
    """The merit order of an auction."""

    @extend_schema(
        operation_id="auctions_curves", tags=TAG, parameters=[CurveQuery], responses=CurvesOutput
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return the aggregated curves of a period; hidden before publication."""
        query = CurveQuery.read(request)
        run = _run(public_id)
        product, hub = _product(query), _hub(query)
        if run is None:
            return Response({"is_hidden": True, "supply": [], "demand": []})
        curves = merit_order(run=run, product=product, period=query["period"], hub=hub)
        return Response(CurvesOutput(curves).data)


class RunList(PublicView):
    """Published clearing runs."""

    @extend_schema(
        operation_id="clearing_runs_list", tags=TAG, parameters=[PageQuery], responses=RunPage
    )
    def get(self, request: Request) -> Response:
        """List published clearing runs, newest first."""
        query = PageQuery.read(request)
        return page_of(
            published_runs(), request, RunOutput, limit=query["limit"], after=query.get("after")
        )


class RunView(PublicView):
    """One published clearing run."""

    @extend_schema(operation_id="clearing_runs_read", tags=TAG, responses=RunOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return a clearing run: hashes of input and result, welfare and its bound."""
        run = published_runs().filter(public_id=public_id).first()
        if run is None:
            raise NotFound
        return Response(RunOutput(run).data)


def _run(auction_id: UUID) -> ClearingRun | None:
    """Return the published run of an auction, None before it; raises NotFound."""
    detail = auction_detail(public_id=auction_id)
    if detail is None:
        raise NotFound
    return detail.run


def _product(query: dict[str, Any]) -> Product:
    product = Product.objects.filter(code=query["product"]).first()
    if product is None:
        raise NotFound
    return product


def _hub(query: dict[str, Any]) -> Hub | None:
    if "hub" not in query:
        return None
    hub = Hub.objects.filter(code=query["hub"]).first()
    if hub is None:
        raise NotFound
    return hub
