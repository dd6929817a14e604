"""Later sequences of a settlement: what changed is rated again, the difference is posted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from marketplace.domain.decimals import add_exactly
from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at
from orders.models import Auction
from settlement.domain.rating import FeeRates, RatedDelivery
from settlement.domain.sla.penalty import PenaltyRating
from settlement.models import (
    Adjustment,
    Delivery,
    RatedLine,
    RatedPeriod,
    SettlementRun,
    SettlementState,
    SlaPenalty,
)
from settlement.selectors.corrections.due import changed_deliveries
from settlement.selectors.corrections.months import posting_day
from settlement.services.billing_entries import post_network_part
from settlement.services.corrections.documents import draft_corrections
from settlement.services.emissions import restate_emissions
from settlement.services.invoicing import issue_drafts
from settlement.services.locks import lock_settlement
from settlement.services.rating import DeliveryRating, rate_deliveries, store_ratings
from settlement.services.receivables import collect_receivable
from settlement.services.settlement_runs import (
    billing_terms,
    close_run,
    lock_funds,
    locked_deliveries,
    newest_reading,
    open_run,
)
from settlement.services.sla.penalties import penalise, store_penalties

# Columns of a rated line and what they are in a rating.
_SUMS = {
    "sold_unit_hours": "sold_unit_hours",
    "metered_unit_hours": "metered_unit_hours",
    "billed_unit_hours": "billed_unit_hours",
    "buyer_net_cny": "buyer_net",
    "seller_net_cny": "seller_net",
    "tariff_cny": "tariff",
    "congestion_rent_cny": "congestion_rent",
    "rounding_cny": "rounding",
    "buyer_fee_cny": "buyer_fee",
    "seller_fee_cny": "seller_fee",
}


@dataclass(frozen=True)
class _Again:
    """Changed deliveries, rated again.

    Attributes:
        fresh: what they come to now.
        differences: the same, less what all sequences so far came to.
        penalties: the arithmetic of the penalties, by delivery.
        adjustments: what waits to be taken in.
    """

    fresh: list[DeliveryRating]
    differences: list[DeliveryRating]
    penalties: dict[int, PenaltyRating]
    adjustments: list[Adjustment]


@transaction.atomic
def settle_differences(*, auction_id: int) -> SettlementRun | None:
    """Settle what changed since the last run of an auction; return the run, or None.

    The deliveries with readings or adjustments newer than the last run are rated again. Over all
    sequences a delivery comes to exactly its newest rating; documents, entries and emission records
    say the difference only. Nothing changed, or the auction was never settled: nothing is posted.
    One transaction under the auction's settlement lock, like the first settlement.

    Entries are dated today, or on the first day of the next open month when today's is closed; the
    month of the delivery itself is never touched again.

    Raises:
        AccountMissing: a member's accounts were never opened.
        GridFactorMissing: the reference data is not loaded.
    """
    lock_settlement(auction_id)
    runs = SettlementRun.objects.filter(auction_id=auction_id, state=SettlementState.POSTED)
    last = runs.select_related("auction").order_by("-sequence").first()
    if last is None:
        return None
    deliveries = _changed(last)
    if not deliveries:
        return None
    again = _rate_again(last.auction, deliveries)
    restate_emissions(again.fresh)
    changed = _really_changed(again)
    if not changed:
        last.checked_reading_id = newest_reading(auction_id)
        last.save(update_fields=["checked_reading_id"])
        return None
    lock_funds(deliveries)
    return _post(last, again, changed)


def _post(last: SettlementRun, again: _Again, changed: set[int]) -> SettlementRun:
    now = market_now()
    day = posting_day(market_date(now))
    differences = [each for each in again.differences if each.delivery.pk in changed]
    run = open_run(last.auction, differences, sequence=last.sequence + 1, day=day)
    store_ratings(run, differences)
    store_penalties(run, differences, again.penalties)
    terms = billing_terms(last.auction, day)
    issue_drafts(run, draft_corrections(last.auction, differences, terms), terms)
    post_network_part(run=run, ratings=differences, day=day)
    Adjustment.objects.filter(pk__in=[each.pk for each in again.adjustments]).update(run=run)
    for buyer in {each.delivery.allocation.buyer for each in differences}:
        collect_receivable(buyer)
    close_run(run, now, topic="auction.corrected")
    return run


def _changed(last: SettlementRun) -> list[Delivery]:
    locked = list(locked_deliveries(last.auction_id))
    keys = changed_deliveries(
        auction_id=last.auction_id, checked_reading_id=last.checked_reading_id or 0
    )
    changed = [delivery for delivery in locked if delivery.pk in keys]
    return sorted(changed, key=lambda delivery: delivery.allocation.number)


def _rate_again(auction: Auction, deliveries: Sequence[Delivery]) -> _Again:
    rules = rules_at(auction.gate_closes_at)
    fees = FeeRates(buyer=rules.buyer_fee_rate, seller=rules.seller_fee_rate)
    fresh, penalties = penalise(auction, rate_deliveries(deliveries, fees=fees))
    keys = [delivery.pk for delivery in deliveries]
    before, charged = _sums_so_far(keys), _penalties_so_far(keys)
    adjustments = list(Adjustment.objects.filter(delivery__in=keys, run=None).order_by("pk"))
    differences = [
        replace(
            rating,
            sums=_difference(rating.sums, before[rating.delivery.pk]),
            penalty=rating.penalty - charged.get(rating.delivery.pk, Decimal(0)),
            buyer_adjustment=_ordered(adjustments, rating, "buyer_net_cny"),
            seller_adjustment=_ordered(adjustments, rating, "seller_net_cny"),
        )
        for rating in fresh
    ]
    return _Again(fresh, differences, penalties, adjustments)


def _sums_so_far(deliveries: Collection[int]) -> dict[int, dict[str, Decimal]]:
    lines = RatedLine.objects.filter(delivery__in=deliveries).order_by()
    totals = lines.values("delivery_id").annotate(**{f"all_{name}": Sum(name) for name in _SUMS})
    return {row["delivery_id"]: {n: row[f"all_{n}"] for n in _SUMS} for row in totals}


def _penalties_so_far(deliveries: Collection[int]) -> dict[int, Decimal]:
    rows = SlaPenalty.objects.filter(delivery__in=deliveries).order_by()
    return dict(rows.values_list("delivery_id").annotate(total=Sum("posted_cny")))


def _difference(fresh: RatedDelivery, before: dict[str, Decimal]) -> RatedDelivery:
    changes = {
        field: add_exactly([getattr(fresh, field), -before[column]])
        for column, field in _SUMS.items()
    }
    return RatedDelivery(**changes)


def _ordered(adjustments: Sequence[Adjustment], rating: DeliveryRating, side: str) -> Decimal:
    return add_exactly(
        getattr(each, side) for each in adjustments if each.delivery_id == rating.delivery.pk
    )


def _really_changed(again: _Again) -> set[int]:
    """Return the deliveries whose money or periods differ from before, or that are adjusted."""
    keys = {each.delivery_id for each in again.adjustments}
    for rating in again.differences:
        money = [getattr(rating.sums, field) for field in _SUMS.values()]
        if any([*money, rating.penalty]):
            keys.add(rating.delivery.pk)
    return keys | _other_periods(again.fresh, keys)


def _other_periods(fresh: Sequence[DeliveryRating], known: set[int]) -> set[int]:
    """Return further deliveries of which a period is found otherwise than in the run before."""
    asked = {rating.delivery.pk: rating for rating in fresh if rating.delivery.pk not in known}
    newest = RatedPeriod.objects.filter(line__delivery__in=asked).order_by(
        "line__delivery_id", "allocation_period_id", "-line__run__sequence"
    )
    found = {
        (row[0], row[1]): (row[2], row[3])
        for row in newest.distinct("line__delivery_id", "allocation_period_id").values_list(
            "line__delivery_id", "allocation_period_id", "metered", "billed"
        )
    }
    return {
        key
        for key, rating in asked.items()
        if any(
            found.get((key, each.period.pk)) != (each.metered, each.billed)
            for each in rating.periods
        )
    }
