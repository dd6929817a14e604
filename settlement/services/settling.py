"""Settling an auction: its deliveries rated, billed and posted, exactly once."""

from datetime import date, datetime, timedelta

from django.db import transaction

from marketplace.domain.decimals import add_exactly
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import MarketRules
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at, vat_rates
from marketplace.services.outbox import emit_event
from orders.models import Auction
from settlement.domain.rating import FeeRates
from settlement.models import Delivery, DeliveryState, SettlementRun, SettlementState
from settlement.selectors.deliveries import ENDED
from settlement.services.accounts import account_for
from settlement.services.billing_entries import post_network_part
from settlement.services.delivery_states import move_deliveries
from settlement.services.emissions import state_emissions
from settlement.services.invoicing import BillingTerms, issue_bills
from settlement.services.locks import lock_balances, lock_settlement
from settlement.services.rating import DeliveryRating, rate_deliveries, store_ratings


class SettlementNotDue(RuleBroken):
    """A delivery of the auction has not ended, or there is none."""

    code = "settlement_not_due"
    message = gettext_noop("The deliveries of the auction have not all ended.")
    status = 409


@transaction.atomic
def settle_auction(*, auction_id: int) -> SettlementRun:
    """Rate, bill and post the ended deliveries of an auction; a repeated call returns the run.

    Everything happens in one transaction under the auction's settlement lock: a process that dies
    on the way leaves nothing, and a second one finds the run. Fees follow the rules in force at
    gate closure, tax the rates of the last day of delivery.

    Raises:
        SettlementNotDue: a delivery has not ended, or there is none.
        PeriodClosed: today's accounting month takes no entries.
        GridFactorMissing: the reference data is not loaded.
    """
    lock_settlement(auction_id)
    done = SettlementRun.objects.filter(auction_id=auction_id, sequence=1).first()
    if done is not None:
        return done
    auction = Auction.objects.get(pk=auction_id)
    deliveries = _locked_deliveries(auction_id)
    now = market_now()
    rules = rules_at(auction.gate_closes_at)
    ratings = rate_deliveries(
        deliveries, fees=FeeRates(buyer=rules.buyer_fee_rate, seller=rules.seller_fee_rate)
    )
    _lock_funds(deliveries)
    run = _open_run(auction, ratings, market_date(now))
    store_ratings(run, ratings)
    state_emissions(ratings)
    _bill(run, ratings, rules, _tax_day(auction))
    move_deliveries(deliveries, DeliveryState.SETTLED, now=now)
    _close_run(run, now)
    return run


def _locked_deliveries(auction_id: int) -> list[Delivery]:
    deliveries = list(
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
    if not deliveries or any(delivery.state not in ENDED for delivery in deliveries):
        raise SettlementNotDue
    return sorted(deliveries, key=lambda delivery: delivery.allocation.number)


def _lock_funds(deliveries: list[Delivery]) -> None:
    buyers = {delivery.allocation.buyer_id for delivery in deliveries}
    lock_balances(account_for("member_funds", organisation=buyer).pk for buyer in buyers)


def _open_run(auction: Auction, ratings: list[DeliveryRating], day: date) -> SettlementRun:
    sums = [rating.sums for rating in ratings]
    return SettlementRun.objects.create(
        number=f"{auction.code}-1",
        auction=auction,
        sequence=1,
        state=SettlementState.RATED,
        settled_on=day,
        buyer_net_cny=add_exactly(s.buyer_net for s in sums),
        seller_net_cny=add_exactly(s.seller_net for s in sums),
        tariffs_cny=add_exactly(s.tariff for s in sums),
        congestion_rent_cny=add_exactly(s.congestion_rent for s in sums),
        fees_cny=add_exactly(part for s in sums for part in (s.buyer_fee, s.seller_fee)),
    )


def _bill(
    run: SettlementRun, ratings: list[DeliveryRating], rules: MarketRules, tax_day: date
) -> None:
    terms = BillingTerms.of(
        day=run.settled_on,
        term_days=rules.payment_term_days,
        vat_rates=vat_rates(tax_day),
        fee_vat_rate=rules.fee_vat_rate,
    )
    issue_bills(run, ratings, terms)
    post_network_part(run=run, ratings=ratings, day=run.settled_on)


def _close_run(run: SettlementRun, now: datetime) -> None:
    run.state = SettlementState.POSTED
    run.posted_at = now
    run.save(update_fields=["state", "posted_at"])
    emit_event(
        topic="auction.settled",
        aggregate=f"auction:{run.auction_id}",
        payload={"auction_id": run.auction_id, "run_id": run.pk},
    )


def _tax_day(auction: Auction) -> date:
    """The last market day of delivery; an end at midnight belongs to the day before."""
    return market_date(auction.delivery_ends_at - timedelta(microseconds=1))
