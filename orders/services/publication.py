"""Publication: a verified result becomes prices, allocations and ended orders, all or nothing."""

import structlog

from marketplace.selectors.clock import market_now
from marketplace.services.outbox import emit_event
from orders.models import Auction, AuctionState, ClearingRun, RunState
from orders.services.allocations import read_trades, write_allocations
from orders.services.capacity import commit_sales
from orders.services.clearing import archived
from orders.services.dividend import expect_dividend
from orders.services.failpoints import pass_failpoint
from orders.services.market_results import write_market_results
from orders.services.order_outcomes import end_orders
from orders.services.outcomes import order_ends
from orders.services.price_summaries import summarise_prices
from orders.services.run_context import read_run
from orders.services.transitions import auction_phase, lock_auction, move_auction

logger = structlog.get_logger(__name__)


def publish_run(*, auction_id: int) -> bool:
    """Publish the verified run of an auction in one transaction; say whether this call did.

    Writes prices, flows, rents and allocations, ends every order with its reason, keeps of each
    hold what was bought (fee and tax in), commits the capacity that was sold and tells the layers
    above through the outbox.

    Raises:
        MoneyDoesNotTie: the allocations do not add up to the result; nothing was written.
    """
    with auction_phase("publish", auction_id, AuctionState.VERIFIED) as auction:
        if auction is None:
            return False
        run = auction.runs.select_for_update().get(state=RunState.VERIFIED)
        _publish(auction, run)
    return True


def _publish(auction: Auction, run: ClearingRun) -> None:
    now = market_now()
    context = read_run(auction, run, *archived(run))
    trades = read_trades(context)
    write_market_results(context)
    summarise_prices(run=run)
    write_allocations(context, trades, now=now)
    pass_failpoint("publish.half_apply")
    end_orders(order_ends(context, trades), now=now, event="published")
    commit_sales(auction=auction, run_id=run.pk)
    run.state, run.published_at = RunState.PUBLISHED, now
    run.save(update_fields=["state", "published_at"])
    expect_dividend(run=run)
    move_auction(auction, to=AuctionState.PUBLISHED, market_at=now)
    emit_event(
        topic="auction.published",
        aggregate=f"auction:{auction.pk}",
        payload={"auction_id": auction.pk, "run_id": run.pk},
    )
    logger.info("auction_published", auction=auction.code, allocations=len(trades))


def hand_to_settlement(*, auction_id: int) -> None:
    """Note that settlement has taken the published auction over; a repeated call does nothing.

    Called in the transaction of the consumer that makes the deliveries.
    """
    auction = lock_auction(auction_id)
    if auction.state == AuctionState.PUBLISHED:
        move_auction(auction, to=AuctionState.SETTLING, market_at=market_now())
