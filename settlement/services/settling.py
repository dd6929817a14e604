"""Settling an auction: its deliveries rated, billed and posted, exactly once.

What changes afterwards is settled by difference: `settle_differences`.
"""

from django.db import transaction

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at
from orders.models import Auction
from settlement.domain.rating import FeeRates
from settlement.models import Delivery, DeliveryState, SettlementRun
from settlement.selectors.deliveries import ENDED
from settlement.services.billing_entries import post_network_part
from settlement.services.corrections.differences import settle_differences
from settlement.services.delivery_states import move_deliveries
from settlement.services.emissions import state_emissions
from settlement.services.invoicing import issue_bills
from settlement.services.locks import lock_settlement
from settlement.services.rating import rate_deliveries, store_ratings
from settlement.services.settlement_runs import (
    billing_terms,
    close_run,
    lock_funds,
    locked_deliveries,
    open_run,
)
from settlement.services.sla.penalties import penalise, store_penalties

__all__ = ["SettlementNotDue", "settle_auction", "settle_differences"]


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
    gate closure, tax the rates of the last day of delivery, penalties the terms at gate closure.

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
    deliveries = _ended_deliveries(auction_id)
    now = market_now()
    rules = rules_at(auction.gate_closes_at)
    ratings = rate_deliveries(
        deliveries, fees=FeeRates(buyer=rules.buyer_fee_rate, seller=rules.seller_fee_rate)
    )
    ratings, penalties = penalise(auction, ratings)
    lock_funds(deliveries)
    run = open_run(auction, ratings, sequence=1, day=market_date(now))
    store_ratings(run, ratings)
    store_penalties(run, ratings, penalties)
    state_emissions(ratings)
    issue_bills(run, ratings, billing_terms(auction, run.settled_on))
    post_network_part(run=run, ratings=ratings, day=run.settled_on)
    move_deliveries(deliveries, DeliveryState.SETTLED, now=now)
    close_run(run, now, topic="auction.settled")
    return run


def _ended_deliveries(auction_id: int) -> list[Delivery]:
    deliveries = list(locked_deliveries(auction_id))
    if not deliveries or any(delivery.state not in ENDED for delivery in deliveries):
        raise SettlementNotDue
    return sorted(deliveries, key=lambda delivery: delivery.allocation.number)
