"""The facts of a settled day: each is one query over what the market stored."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.db.models import Count, F, Q, Sum

from marketplace.models import Listing, ListingState, Organisation
from orders.clearing import read_bundle, read_result, verify
from orders.models import (
    Allocation,
    Auction,
    ClearingPrice,
    ClearingRun,
    LinkRent,
    Order,
    OrderKind,
    OrderSide,
    OrderState,
    RunArchive,
)
from settlement.models import EmissionRecord, Invoice, InvoiceDirection, RatedLine, SettlementRun
from settlement.selectors.rederivation import rederive_run
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.invariants import sweep_ledger

_ACCEPTED = (OrderState.FILLED, OrderState.PARTLY_FILLED)


@dataclass(frozen=True)
class Check:
    """Something that must hold at the end of the day."""

    name_zh: str
    name_en: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Liveliness:
    """How much happened: what a lively day shows, without which it is still correct."""

    hubs_trading: int
    full_links: int
    blocks_accepted: int
    blocks_paradoxically_rejected: int
    short_deliveries: int
    real_asks: int
    real_orders: int
    real_orders_accepted: int


@dataclass(frozen=True)
class OrderCounts:
    """The book by side and kind, and what became of the bids."""

    asks: int
    bids: int
    blocks: int
    accepted_bids: int
    rejected_bids: int


def published_run(auction: Auction) -> ClearingRun:
    """Return the run the auction published."""
    return auction.runs.get(state="published")


def count_orders(auction: Auction) -> OrderCounts:
    """Count the auction's orders in one query."""
    bids = Q(side=OrderSide.BUY)
    return OrderCounts(
        **Order.objects.filter(auction=auction).aggregate(
            asks=Count("id", filter=Q(side=OrderSide.SELL)),
            bids=Count("id", filter=bids),
            blocks=Count("id", filter=bids & Q(kind=OrderKind.BLOCK)),
            accepted_bids=Count("id", filter=bids & Q(state__in=_ACCEPTED)),
            rejected_bids=Count("id", filter=bids & ~Q(state__in=_ACCEPTED)),
        )
    )


def liveliness(auction: Auction) -> Liveliness:
    """Return how lively the day was."""
    run = published_run(auction)
    real = Order.objects.filter(auction=auction, source="import", side=OrderSide.BUY)
    return Liveliness(
        hubs_trading=_hubs_trading(run),
        full_links=LinkRent.objects.filter(run=run, rent_cny_per_gbps__gt=0)
        .values("link", "direction")
        .distinct()
        .count(),
        blocks_accepted=run.blocks_accepted,
        blocks_paradoxically_rejected=run.blocks_paradoxically_rejected,
        short_deliveries=RatedLine.objects.filter(
            run__auction=auction, run__sequence=1, metered_unit_hours__lt=F("sold_unit_hours")
        ).count(),
        real_asks=_real_asks(auction),
        real_orders=real.count(),
        real_orders_accepted=real.filter(state__in=_ACCEPTED).count(),
    )


def _real_asks(auction: Auction) -> int:
    return Order.objects.filter(
        auction=auction, side=OrderSide.SELL, listing__source__startswith="import"
    ).count()


def _hubs_trading(run: ClearingRun) -> int:
    traded = ClearingPrice.objects.filter(run=run).filter(Q(supplied__gt=0) | Q(consumed__gt=0))
    return traded.values("hub").distinct().count()


def emissions(auction: Auction) -> dict[str, Decimal]:
    """Return IT and facility energy (Wh) and location-based tonnes of the day's deliveries."""
    records = EmissionRecord.objects.filter(delivery__allocation__auction=auction)
    newest = records.order_by("delivery_id", "-version").distinct("delivery_id")
    totals = EmissionRecord.objects.filter(pk__in=newest.values("pk")).aggregate(
        it_wh=Sum("it_wh"), facility_wh=Sum("facility_wh"), tonnes=Sum("location_based_t")
    )
    return {key: Decimal(value or 0) for key, value in totals.items()}


def checks(auction: Auction) -> Iterable[Check]:
    """Yield every check of the day, each by other means than those that made the figures."""
    run = published_run(auction)
    settled = SettlementRun.objects.filter(auction=auction).latest("sequence")
    yield _verified(run)
    yield _balanced(settled)
    yield _derived_again(settled)
    yield _every_buyer_billed(auction)
    listed = Listing.objects.filter(source__startswith="import", state=ListingState.ACTIVE).count()
    if listed:
        yield _real_input(auction, listed)
    sweep = sweep_ledger()
    yield Check(
        "账簿核查",
        "ledger invariants and hash chain",
        sweep.passed,
        f"{len(sweep.findings)} 项异常 findings",
    )


def _verified(run: ClearingRun) -> Check:
    archive = RunArchive.objects.get(run=run)
    found = verify(
        read_bundle(BytesIO(archive.bundle)), read_result(BytesIO(archive.result or b""))
    )
    return Check("独立校验器", "independent verifier", not found, f"{len(found)} 项违规 violations")


def _balanced(settled: SettlementRun) -> Check:
    rows = trial_balance(settled.settled_on.replace(month=1, day=1), settled.settled_on)
    differences = differences_by_asset(rows)
    shown = ", ".join(f"{asset} {total:.2f}" for asset, total in sorted(differences.items()))
    passed = bool(differences) and not any(differences.values())
    return Check("试算平衡", "trial balance", passed, shown)


def _derived_again(settled: SettlementRun) -> Check:
    again = rederive_run(settled.pk)
    return Check(
        "逐笔复算",
        "every amount derived again in SQL",
        bool(again.comparisons) and not again.differences,
        f"{len(again.comparisons)} 个金额 amounts, {len(again.differences)} 处不符 differ",
    )


def _every_buyer_billed(auction: Auction) -> Check:
    buyers = set(
        Allocation.objects.filter(auction=auction).values_list("buyer_id", flat=True).distinct()
    )
    billed = set(
        Invoice.objects.filter(
            run__auction=auction, direction=InvoiceDirection.RECEIVABLE
        ).values_list("organisation_id", flat=True)
    )
    missing = Organisation.objects.filter(pk__in=buyers - billed).values_list("code", flat=True)
    detail = f"{len(billed)} / {len(buyers)}" + (f", 缺 missing {list(missing)}" if missing else "")
    return Check("成交均有结算单", "every buying member has a bill", buyers <= billed, detail)


def _real_input(auction: Auction, listed: int) -> Check:
    asks = _real_asks(auction)
    return Check("真实供给入簿", "real asks in the book", asks == listed, f"{asks} / {listed}")


def report(auction: Auction, found: Iterable[Check]) -> dict[str, Any]:
    """Return the day's facts as plain data, for programs that judge the day."""
    run = published_run(auction)
    return {
        "auction": auction.code,
        "bundle_sha256": run.bundle_sha256,
        "result_sha256": run.result_sha256,
        "orders": asdict(count_orders(auction)),
        "liveliness": asdict(liveliness(auction)),
        "timings": run.timings,
        "checks": {check.name_en: check.passed for check in found},
    }
