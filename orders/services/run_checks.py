"""Clearing a published run once more from its archive, to show that it comes out the same."""

import io

import structlog
from django.utils import timezone

from marketplace.domain.errors import NotPermitted, StateForbids
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.background import enqueue_on_commit
from marketplace.services.checks import check_text
from orders import clearing
from orders.models import Auction, RunCheck, RunState
from orders.services.clearing import result_sha256, zipped_result

logger = structlog.get_logger(__name__)


def ask_for_check(*, actor: Actor, auction_id: int, reason: str) -> RunCheck:
    """Ask to clear a published auction again and compare; nothing published is touched.

    Operators and the platform's auditors may ask; a worker does it.

    Raises:
        NotPermitted, Missing: nothing was written.
        StateForbids: nothing is published.
    """
    if not (actor.is_operator or actor.is_platform_auditor):
        raise NotPermitted
    why = check_text(reason, field="reason", max_length=300, required=True)
    auction = Auction.objects.get(pk=auction_id)
    run = auction.runs.filter(state=RunState.PUBLISHED).first()
    if run is None:
        raise StateForbids(state=auction.state)
    check = RunCheck.objects.create(run=run, asked_by=actor.user, reason=why)
    record_audit(
        action="run.check_asked",
        subject=run,
        actor=actor.user,
        organisation=actor.organisation,
        reason=why,
    )
    enqueue_on_commit("orders.tasks.check_run", check_id=check.pk)
    return check


def carry_out_check(*, check_id: int) -> bool:
    """Clear the archived bundle again and store hash and violations; a repeated call does nothing.

    The engine's failure is the outcome of the check, not of the task.
    """
    check = RunCheck.objects.select_related("run__archive").get(pk=check_id)
    if check.finished_at is not None:
        return False
    try:
        bundle = clearing.read_bundle(io.BytesIO(bytes(check.run.archive.bundle)))
        result = clearing.clear(bundle)
        check.result_sha256 = result_sha256(zipped_result(result))
        check.violations = len(clearing.verify(bundle, result))
    except (clearing.ClearingError, ArithmeticError) as error:
        check.failure = f"{type(error).__name__}: {error}"[:300]
        logger.warning("run_check_failed", run=check.run_id, error=check.failure)
    check.finished_at = timezone.now()
    check.save(update_fields=["finished_at", "result_sha256", "violations", "failure"])
    return True
