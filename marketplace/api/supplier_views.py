"""A supplier's pools and listings."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, sells
from marketplace.api.idempotent import IDEMPOTENCY_KEY, answer_with_key
from marketplace.api.listing_serializers import (
    ImportOutput,
    ListingChanges,
    ListingInput,
    ListingOutput,
    ListingPage,
    ListingQuery,
    PoolInput,
    PoolList,
    PoolOutput,
    listing_values,
)
from marketplace.api.pagination import page_of
from marketplace.api.parsers import CsvParser
from marketplace.api.serializers import checked_body
from marketplace.models import Listing
from marketplace.selectors.hubs import hub_by_code
from marketplace.selectors.organisations import listing_of, listings_of, pool_of, pools_of
from marketplace.selectors.reference import hardware_by_name, product_by_code
from marketplace.services.idempotency import fingerprint_of
from marketplace.services.listing_import import import_listings
from marketplace.services.listings import (
    create_listing,
    pause_listing,
    resume_listing,
    revise_listing,
    withdraw_listing,
)
from marketplace.services.pools import register_pool

TAG = ["supply"]


class SupplierView(MemberView):
    """An endpoint of people who sell."""

    readers = staticmethod(sells)
    writers = staticmethod(sells)
    write_scope = "listings"

    def described(self, listing: Listing) -> Any:
        """Return a listing as its owner reads it."""
        return ListingOutput(listing_of(self.organisation, listing.public_id)).data


class PoolsView(SupplierView):
    """The organisation's pools."""

    @extend_schema(operation_id="pools_list", tags=TAG, responses=PoolList)
    def get(self, request: Request) -> Response:
        """List the organisation's pools."""
        return Response({"results": PoolOutput(pools_of(self.organisation), many=True).data})

    @extend_schema(
        operation_id="pools_register",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=PoolInput,
        responses={201: PoolOutput},
    )
    def post(self, request: Request) -> Response:
        """Register machines; they get the next resource identifier."""
        values = checked_body(PoolInput, request)

        def work() -> tuple[int, Any]:
            pool = register_pool(
                actor=self.actor,
                hub=hub_by_code(values.pop("hub")),
                product=product_by_code(values.pop("product")),
                hardware=hardware_by_name(values.pop("hardware", "")),
                **values,
            )
            stored = pool_of(self.organisation, pool.identifier)
            return status.HTTP_201_CREATED, PoolOutput(stored).data

        return answer_with_key(self, work)


class PoolView(SupplierView):
    """One pool of the organisation."""

    @extend_schema(operation_id="pools_read", tags=TAG, responses=PoolOutput)
    def get(self, request: Request, identifier: str) -> Response:
        """Return one of the organisation's own pools."""
        return Response(PoolOutput(pool_of(self.organisation, identifier)).data)


class ListingsView(SupplierView):
    """The organisation's listings."""

    @extend_schema(
        operation_id="listings_list", tags=TAG, parameters=[ListingQuery], responses=ListingPage
    )
    def get(self, request: Request) -> Response:
        """List the organisation's own listings, newest first."""
        query = ListingQuery.read(request)
        rows = listings_of(self.organisation)
        if "state" in query:
            rows = rows.filter(state=query["state"])
        if "pool" in query:
            rows = rows.filter(pool__identifier=query["pool"])
        return page_of(rows, request, ListingOutput, limit=query["limit"], after=query.get("after"))

    @extend_schema(
        operation_id="listings_create",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=ListingInput,
        responses={201: ListingOutput},
    )
    def post(self, request: Request) -> Response:
        """List units of a pool."""
        values = listing_values(checked_body(ListingInput, request))
        identifier = values.pop("pool")

        def work() -> tuple[int, Any]:
            pool = pool_of(self.organisation, identifier)
            listing = create_listing(actor=self.actor, pool=pool, source="api", **values)
            return status.HTTP_201_CREATED, self.described(listing)

        return answer_with_key(self, work)


class ListingView(SupplierView):
    """One listing of the organisation."""

    @extend_schema(operation_id="listings_read", tags=TAG, responses=ListingOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return one of the organisation's own listings."""
        return Response(ListingOutput(listing_of(self.organisation, public_id)).data)

    @extend_schema(
        operation_id="listings_revise",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request=ListingChanges,
        responses={200: ListingOutput},
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change a listing; auctions whose gate has closed keep their copy."""
        values = listing_values(checked_body(ListingChanges, request))

        def work() -> tuple[int, Any]:
            listing = revise_listing(actor=self.actor, public_id=public_id, **values)
            return status.HTTP_200_OK, self.described(listing)

        return answer_with_key(self, work)


class ListingMove(SupplierView):
    """A change of a listing's state; the subclass names the service."""

    http_method_names = ["post"]
    move: ClassVar[Callable[..., Listing]]

    def post(self, request: Request, public_id: UUID) -> Response:
        """Change the state, and return the listing."""

        def work() -> tuple[int, Any]:
            listing = type(self).move(actor=self.actor, public_id=public_id)
            return status.HTTP_200_OK, self.described(listing)

        return answer_with_key(self, work, content="")


def _describe(name: str, text: str) -> Any:
    operation = extend_schema(
        operation_id=f"listings_{name}",
        tags=TAG,
        description=text,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: ListingOutput},
    )
    return extend_schema_view(post=operation)


@_describe("pause", "Take a listing out of coming auctions.")
class ListingPause(ListingMove):
    """Pausing a listing."""

    move = staticmethod(pause_listing)


@_describe("resume", "Offer a draft or paused listing.")
class ListingResumption(ListingMove):
    """Resuming a listing."""

    move = staticmethod(resume_listing)


@_describe("withdraw", "End a listing for good; what is sold is still delivered.")
class ListingWithdrawal(ListingMove):
    """Withdrawing a listing."""

    move = staticmethod(withdraw_listing)


class ListingImport(SupplierView):
    """Listings from a CSV file."""

    parser_classes = [CsvParser]

    @extend_schema(
        operation_id="listings_import",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request={"text/csv": OpenApiTypes.STR},
        responses={201: ImportOutput},
    )
    def post(self, request: Request) -> Response:
        """List everything in a CSV file, or nothing; errors name line, column and reason."""
        data = request.data if isinstance(request.data, bytes) else b""

        def work() -> tuple[int, Any]:
            listings = import_listings(actor=self.actor, data=data)
            ids = [str(listing.public_id) for listing in listings]
            return status.HTTP_201_CREATED, {"count": len(ids), "ids": ids}

        return answer_with_key(self, work, content=fingerprint_of(data.hex()))
