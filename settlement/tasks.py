"""What beat wakes up. Each task asks the database what is due, so a repeated knock does nothing."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from settlement.exports.jobs import run_export
from settlement.models import ParkedStage
from settlement.selectors.corrections.due import auctions_with_differences
from settlement.selectors.deliveries import auctions_to_settle
from settlement.services.announcing import announce_pending
from settlement.services.banking.monthly_statements import close_silent_statements
from settlement.services.carbon.statements import issue_month
from settlement.services.cases.sweeping import sweep_cases
from settlement.services.chain import seal_blocks
from settlement.services.corrections.parking import try_settling
from settlement.services.credit_limits import lower_expired_limits
from settlement.services.deliveries import complete_due_deliveries, time_out_acceptances
from settlement.services.inbox import consume_pending
from settlement.services.invariants import sweep_ledger
from settlement.services.registry.expiring import expire_units
from settlement.services.reminding import announce_due
from settlement.services.reports.export_jobs import due_exports, remove_expired

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
def confirm_by_silence() -> int:
    """Take monthly statements whose deadline has passed without an answer as confirmed."""
    return close_silent_statements()


@shared_task
def run_deliveries() -> None:
    """Time out silent buyers, close deliveries that are over."""
    now = market_now()
    time_out_acceptances(now)
    complete_due_deliveries(now)


@shared_task
def settle_due() -> int:
    """Settle auctions whose deliveries have all ended; what is refused is parked."""
    return _settle(auctions_to_settle(market_now()), ParkedStage.SETTLEMENT)


@shared_task
def settle_due_differences() -> int:
    """Settle by difference what has newer readings or adjustments than its last run."""
    return _settle(auctions_with_differences(), ParkedStage.DIFFERENCES)


def _settle(auction_ids: list[int], stage: ParkedStage) -> int:
    settled = 0
    for auction_id in auction_ids:
        parked = try_settling(auction_id, stage)
        if parked is None:
            settled += 1
        else:
            logger.error("settlement_refused", auction_id=auction_id, code=parked.code)
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


@shared_task
def run_cases() -> dict[str, int]:
    """Do what is due in disputes, vouchers, reminders and security deposits."""
    return sweep_cases(market_now())


@shared_task
def issue_carbon_statements() -> int:
    """State last month's carbon of the buyers and data centres that have no statement of it."""
    this_month = market_date(market_now()).replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    return issue_month(month=last_month, only_missing=True).issued


@shared_task
def export_report(job_id: int) -> bool:
    """Make the file of an export; a repeated or late message finds nothing to do."""
    return run_export(job_id=job_id)


@shared_task
def export_due() -> int:
    """Make files whose message was lost or whose worker died, and remove those that are over."""
    now = timezone.now()
    remove_expired(now)
    return sum(run_export(job_id=job_id) for job_id in due_exports(now)[:1])


@shared_task
def expire_registry_units() -> int:
    """Let reservations of units lapse and write off certificates whose last valid day is past."""
    return expire_units(market_now())
