"""What beat wakes up. Each task asks the database what is due, so a repeated knock does nothing."""

import structlog
from celery import shared_task

from marketplace.domain.errors import RuleBroken
from marketplace.selectors.clock import market_now
from settlement.selectors.deliveries import auctions_to_settle
from settlement.services.announcing import announce_pending
from settlement.services.chain import seal_blocks
from settlement.services.credit_limits import lower_expired_limits
from settlement.services.deliveries import complete_due_deliveries, time_out_acceptances
from settlement.services.inbox import consume_pending
from settlement.services.invariants import sweep_ledger
from settlement.services.reminding import announce_due
from settlement.services.settling import settle_auction

logger = structlog.get_logger(__name__)


@shared_task
def consume_outbox() -> int:
    """Apply what happened in the layers below: members admitted, auctions published."""
    return consume_pending()


@shared_task
def announce_events() -> int:
    """Tell members what happened: results, deliveries, bills, notices."""
    return announce_pending()


@shared_task
def announce_due_dates() -> int:
    """Tell members what comes: closing gates, deliveries, money and certificates running out."""
    return announce_due(market_now())


@shared_task
def run_deliveries() -> None:
    """Time out silent buyers, close deliveries that are over."""
    now = market_now()
    time_out_acceptances(now)
    complete_due_deliveries(now)


@shared_task
def settle_due() -> int:
    """Settle auctions whose deliveries have all ended; a refusal of one does not stop others."""
    settled = 0
    for auction_id in auctions_to_settle(market_now()):
        try:
            settle_auction(auction_id=auction_id)
            settled += 1
        except RuleBroken as refusal:
            logger.error("settlement_refused", auction_id=auction_id, code=refusal.code)
    return settled


@shared_task
def sweep_invariants() -> bool:
    """Check the ledger's invariants and keep the outcome."""
    run = sweep_ledger()
    if not run.passed:
        logger.error("ledger_invariants_broken", findings=run.findings)
    return run.passed


@shared_task
def seal_ledger_blocks() -> int:
    """Seal finished entries into the hash chain."""
    return seal_blocks()


@shared_task
def expire_credit_limits() -> int:
    """Take credit limits and guarantees that have run out off the balances."""
    return lower_expired_limits(market_now())
