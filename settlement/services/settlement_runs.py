"""What the first settlement of an auction and the later ones have in common."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db.models import Max, QuerySet

from marketplace.domain.decimals import add_exactly
from marketplace.domain.periods import market_date
from marketplace.selectors.rules import rules_at, vat_rates
from marketplace.services.outbox import emit_event
from orders.models import Auction
from settlement.models import Delivery, MeterReading, SettlementRun, SettlementState
from settlement.services.accounts import account_for
from settlement.services.banking.workdays import payment_due_on
from settlement.services.bill_drafts import BillingTerms
from settlement.services.locks import lock_balances
from settlement.services.rating import DeliveryRating


def locked_deliveries(auction_id: int) -> QuerySet[Delivery]:
    """Return the deliveries of an auction, locked in id order, with what bills need of them."""
    return (
        Delivery.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "allocation__buyer",
            "allocation__seller",
            "allocation__product",
            "allocation__buy_order",
            "allocation__listing__pool__hub",
        )
        .filter(allocation__auction_id=auction_id)
        .order_by("pk")
    )


def lock_funds(deliveries: Sequence[Delivery]) -> None:
    """Lock the funds of every buyer at once, before anything is written."""
    buyers = {delivery.allocation.buyer_id for delivery in deliveries}
    lock_balances(account_for("member_funds", organisation=buyer).pk for buyer in buyers)


def newest_reading(auction_id: int) -> int:
    """Return the id of the newest reading of an auction whose deliveries are locked, 0 for none.

    Readings of a delivery are stored under its lock, so everything stored later has a greater id.
    """
    readings = MeterReading.objects.filter(delivery__allocation__auction_id=auction_id)
    return readings.aggregate(newest=Max("id"))["newest"] or 0


def open_run(
    auction: Auction, ratings: Sequence[DeliveryRating], *, sequence: int, day: date
) -> SettlementRun:
    """Write the run with the sums of its ratings; they are differences in a later sequence."""
    sums = [rating.sums for rating in ratings]
    newest = newest_reading(auction.pk)
    return SettlementRun.objects.create(
        number=f"{auction.code}-{sequence}",
        auction=auction,
        sequence=sequence,
        state=SettlementState.RATED,
        settled_on=day,
        buyer_net_cny=add_exactly(s.buyer_net for s in sums),
        seller_net_cny=add_exactly(s.seller_net for s in sums),
        tariffs_cny=add_exactly(s.tariff for s in sums),
        congestion_rent_cny=add_exactly(s.congestion_rent for s in sums),
        fees_cny=add_exactly(part for s in sums for part in (s.buyer_fee, s.seller_fee)),
        penalties_cny=add_exactly(rating.penalty for rating in ratings),
        last_reading_id=newest,
        checked_reading_id=newest,
    )


def billing_terms(auction: Auction, day: date) -> BillingTerms:
    """Return the terms of bills issued on a day.

    Fees follow the rules in force at gate closure, tax the rates of the last day of delivery.
    """
    rules = rules_at(auction.gate_closes_at)
    return BillingTerms(
        day=day,
        due_on=payment_due_on(day, rules=rules),
        vat_rates=vat_rates(tax_day(auction)),
        fee_vat_rate=rules.fee_vat_rate,
    )


def close_run(run: SettlementRun, now: datetime, *, topic: str) -> None:
    """Mark the run as posted and tell who listens."""
    run.state = SettlementState.POSTED
    run.posted_at = now
    run.save(update_fields=["state", "posted_at"])
    emit_event(
        topic=topic,
        aggregate=f"auction:{run.auction_id}",
        payload={"auction_id": run.auction_id, "run_id": run.pk},
    )


def tax_day(auction: Auction) -> date:
    """Return the last market day of delivery; an end at midnight belongs to the day before."""
    return market_date(auction.delivery_ends_at - timedelta(microseconds=1))
