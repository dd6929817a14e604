"""Puts the jobs of a trace into an open auction as the demonstration's buy orders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django.db.models import Min

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.domain.imports.mapping import Maps, load_maps
from marketplace.domain.periods import market_date
from marketplace.domain.reference import load_table
from marketplace.domain.tables import ImportRefused, RowError
from marketplace.models import (
    Hub,
    HubKind,
    Listing,
    ListingState,
    Membership,
    OrganisationState,
    Product,
    Role,
)
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from orders.domain.job_traces import Job, Trace, read_trace
from orders.domain.trace_orders import (
    AuctionWindow,
    ProductTerms,
    TraceOrder,
    median_price,
    orders_from,
)
from orders.models import Auction, OrderKind, OrderSide, OrderSource
from orders.ports.collateral import InsufficientCollateral
from orders.selectors.bands import traded_products
from orders.selectors.capacity import period_starts
from orders.services.bulk_submission import submit_bids
from orders.services.order_request import OrderRequest, Step

_TRIES = 3


class AuctionUnknown(NotFound):
    """There is no auction of this code."""

    code = "not_found"
    message = gettext_noop("There is no such auction.")


class NoDemoBuyers(RuleBroken):
    """Nobody is there to own the orders."""

    code = "no_demo_buyers"
    message = gettext_noop("There are no demonstration buyers: seed the members first.")


class NoOpenPeriods(RuleBroken):
    """Every delivery period of the auction has begun."""

    code = "no_open_periods"
    message = gettext_noop("Every delivery period of this auction has begun.")


class HubUnknown(RuleBroken):
    """A file names a place the market does not know."""

    code = "hub_unknown"
    message = gettext_noop("There is no hub %(hub)s.")


@dataclass(frozen=True)
class DemandImport:
    """What an import made, and what it left out and why."""

    format: str
    jobs: int
    orders: int
    blocks: int
    buyers: int
    left_out: dict[str, int]


@dataclass(frozen=True)
class _Buyer:
    actor: Actor
    hub: str


def import_demand(
    *,
    path: Path,
    auction_code: str,
    limit: int = 1500,
    most_blocks: int = 150,
    seed: int = 1,
    maps: Maps | None = None,
) -> DemandImport:
    """Submit the jobs of a trace as orders of the demonstration's buyers, all or nothing.

    An order that none of three buyers can cover is left out and counted; anything wrong in the
    file, or a gate that closes meanwhile, stores nothing.

    Args:
        path: the trace, plain or gzipped.
        auction_code: an auction that is open.
        limit: most orders.
        most_blocks: most blocks among them; longer jobs beyond are bid for hour by hour.
        seed: of the assumed limit prices, of who buys, and of the choice among more jobs.
        maps: exchange rates for files that carry limit prices; the shipped ones by default.

    Raises:
        ImportRefused: with line and reason.
        AuctionUnknown, NoOpenPeriods, NoDemoBuyers, and the refusals of `submit_bids`.
    """
    auction = Auction.objects.filter(code=auction_code).first()
    if auction is None:
        raise AuctionUnknown(field="auction")
    trace = read_trace(path)
    buyers = _buyers()
    jobs = _checked(trace, maps or load_maps())
    orders, left_out = orders_from(
        jobs,
        window=_window(auction),
        buyers=len(buyers),
        products=_terms(auction),
        seed=seed,
        limit=limit,
        most_blocks=most_blocks,
    )
    with transaction.atomic():
        stored = _submit_all(orders, auction, buyers)
    left_out["more than the buyers can cover"] += len(orders) - len(stored)
    return DemandImport(
        format=trace.format,
        jobs=len(trace.jobs),
        orders=len(stored),
        blocks=sum(order.is_block for order in stored),
        buyers=len({order.buyer for order in stored}),
        left_out=dict(+(left_out + trace.left_out)),
    )


def _checked(trace: Trace, maps: Maps) -> list[Job]:
    """Return the jobs with limit prices in CNY; refuse places and currencies nobody knows."""
    hubs = set(Hub.objects.filter(trades=True).values_list("code", flat=True))
    on = market_date(market_now())
    jobs, errors = [], []
    for job in trace.jobs:
        try:
            if job.hub and job.hub not in hubs:
                raise HubUnknown(field="hub", hub=job.hub[:20])
            jobs.append(job if job.limit_price is None else job.in_cny(maps, on))
        except RuleBroken as error:
            errors.append(RowError.of(job.line, error))
    if errors:
        raise ImportRefused(errors)
    return jobs


def _buyers() -> list[_Buyer]:
    memberships = (
        Membership.objects.filter(
            role=Role.BUYER,
            organisation__is_buyer=True,
            organisation__is_demo_bot=True,
            organisation__state=OrganisationState.APPROVED,
        )
        .select_related("user", "organisation")
        .order_by("organisation__code", "id")
    )
    homes = {row["code"]: row["home_code"] for row in load_table("members")}
    elsewhere = Hub.objects.filter(kind=HubKind.CITY).order_by("code").first()
    by_organisation: dict[int, _Buyer] = {}
    for membership in memberships:
        organisation = membership.organisation
        home = homes.get(organisation.code) or (elsewhere.code if elsewhere else "")
        actor = Actor(membership.user, organisation, frozenset({Role.BUYER.value}))
        by_organisation.setdefault(organisation.pk, _Buyer(actor, home))
    if not by_organisation:
        raise NoDemoBuyers
    return list(by_organisation.values())


def _window(auction: Auction) -> AuctionWindow:
    now = market_now()
    starts = period_starts(auction)
    first_open = next((n for n, start in enumerate(starts, start=1) if start >= now), None)
    if first_open is None:
        raise NoOpenPeriods(auction=auction.code)
    return AuctionWindow(first_open, auction.period_count, auction.period_minutes)


def _terms(auction: Auction) -> dict[str, ProductTerms]:
    """Return the auction's products; bids are measured by the median ask, or the example price."""
    asks: dict[int, list[Decimal]] = defaultdict(list)
    best = (
        Listing.objects.filter(state=ListingState.ACTIVE)
        .annotate(best=Min("price_steps__price"))
        .values_list("pool__product_id", "best")
    )
    for product_id, price in best:
        if price is not None:
            asks[product_id].append(price)
    return {
        product.code: ProductTerms(
            price_tick=product.price_tick,
            price_min=product.price_min,
            price_max=product.price_max,
            quantity_lot=product.quantity_lot,
            reference_price=_reference(product, asks[product.pk]),
        )
        for product in traded_products(auction)
    }


def _reference(product: Product, asks: list[Decimal]) -> Decimal:
    return median_price(asks) if asks else product.reference_price.amount


def _submit_all(
    orders: list[TraceOrder], auction: Auction, buyers: list[_Buyer]
) -> list[TraceOrder]:
    """Submit orders for their buyers, then for the next ones where money is short.

    Returns the orders that somebody covered.
    """
    stored: list[TraceOrder] = []
    waiting = orders
    for step in range(min(_TRIES, len(buyers))):
        owners = [buyers[(order.buyer + step) % len(buyers)] for order in waiting]
        outcomes = submit_bids(
            auction=auction,
            bids=[
                (buyer.actor, _request(order, auction, buyer))
                for order, buyer in zip(waiting, owners, strict=True)
            ],
        )
        short = [isinstance(outcome, InsufficientCollateral) for outcome in outcomes]
        stored += [o for o, is_short in zip(waiting, short, strict=True) if not is_short]
        waiting = [o for o, is_short in zip(waiting, short, strict=True) if is_short]
    return stored


def _request(order: TraceOrder, auction: Auction, buyer: _Buyer) -> OrderRequest:
    return OrderRequest(
        auction=auction.public_id,
        side=OrderSide.BUY,
        kind=OrderKind.BLOCK if order.is_block else OrderKind.CURVE,
        product=order.product,
        hub=order.hub or buyer.hub,
        first_period=order.first_period,
        last_period=order.last_period,
        steps=() if order.is_block else (Step(order.limit_price, order.quantity),),
        quantity=order.quantity if order.is_block else None,
        limit_price=order.limit_price if order.is_block else None,
        scenario=order.scenario,
        note=f"{order.key} ({order.jobs})",
        source=OrderSource.IMPORT,
    )
