"""Background exports: asked for, taken by a worker, given up, removed; the file is made above.

The row is the record of what is to be done: a message only knocks, a worker takes a row, and one
whose worker died is taken again, at most `MOST_ATTEMPTS` times.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.background import enqueue_on_commit
from marketplace.services.checks import check_transition
from settlement.models import EXPORT_TRANSITIONS, ExportJob, ExportState

KEPT_FOR = timedelta(days=7)
MOST_WAITING = 20
MOST_ATTEMPTS = 3
# A worker says how far it is every few thousand rows; one silent for so long is taken for dead.
SILENT_FOR = timedelta(minutes=6)
DRAFTS_KEPT_FOR = timedelta(hours=6)


class TooManyExports(RuleBroken):
    """A person waits for a limited number of files at once."""

    code = "too_many_exports"
    message = gettext_noop("At most %(most)s exports can wait at once.")
    status = 429


@transaction.atomic
def request_export(
    *,
    actor: Actor,
    report: str,
    parameters: Mapping[str, str],
    file_format: str,
    rows_total: int,
) -> ExportJob:
    """Note that a person wants a report as a file, and wake a worker after commit.

    Raises:
        NotPermitted: the actor acts for no organisation.
        TooManyExports: too many files are waited for already.
    """
    if actor.organisation is None:
        raise NotPermitted
    waiting = ExportJob.objects.filter(
        user=actor.user, state__in=[ExportState.WAITING, ExportState.RUNNING]
    )
    if waiting.count() >= MOST_WAITING:
        raise TooManyExports(most=MOST_WAITING)
    job = ExportJob.objects.create(
        user=actor.user,
        organisation=actor.organisation,
        report=report,
        parameters=dict(parameters),
        file_format=file_format,
        language=get_language() or "zh-hans",
        rows_total=rows_total,
        expires_at=timezone.now() + KEPT_FOR,
    )
    record_audit(
        action="export.requested",
        subject=job,
        actor=actor.user,
        organisation=actor.organisation,
        after={"report": report, "format": file_format, "parameters": dict(parameters)},
    )
    enqueue_on_commit("settlement.tasks.export_report", job_id=job.pk)
    return job


@transaction.atomic
def take_export(*, job_id: int, now: datetime) -> ExportJob | None:
    """Take a waiting export, or one whose worker fell silent; None when there is nothing to do."""
    job = (
        ExportJob.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=job_id).first()
    )
    if job is None or not (job.state == ExportState.WAITING or _is_silent(job, now)):
        return None
    if job.attempts >= MOST_ATTEMPTS:
        _fail(job, code="export_given_up", text="")
        return None
    job.state = ExportState.RUNNING
    job.attempts += 1
    job.rows_done = 0
    job.started_at = now
    job.save(update_fields=["state", "attempts", "rows_done", "started_at"])
    return job


@transaction.atomic
def finish_export(
    *, job: ExportJob, filename: str, sha256: str, size: int, rows: int, manifest: dict[str, object]
) -> bool:
    """Mark an export as ready; False when another worker or its owner came first."""
    row = ExportJob.objects.select_for_update(no_key=True).get(pk=job.pk)
    if (row.state, row.attempts) != (ExportState.RUNNING, job.attempts):
        return False
    row.state = check_transition(EXPORT_TRANSITIONS, row.state, ExportState.READY)
    row.filename, row.sha256, row.size_bytes = filename, sha256, size
    row.rows_done = row.rows_total = rows
    row.manifest = manifest
    row.finished_at = timezone.now()
    row.expires_at = row.finished_at + KEPT_FOR
    row.save()
    return True


@transaction.atomic
def fail_export(*, job: ExportJob, code: str, text: str) -> None:
    """Mark an export as failed, with the refusal in the words of whoever asked."""
    row = ExportJob.objects.select_for_update(no_key=True).get(pk=job.pk)
    if (row.state, row.attempts) == (ExportState.RUNNING, job.attempts):
        _fail(row, code=code, text=text)


@transaction.atomic
def remove_export(*, actor: Actor, public_id: UUID) -> ExportJob:
    """Remove an own export and its file.

    Raises:
        NotFound: it is somebody else's, or not there.
        StateForbids: it is being made.
    """
    jobs = ExportJob.objects.select_for_update(no_key=True)
    job = jobs.filter(user=actor.user, organisation=actor.organisation, public_id=public_id).first()
    if job is None:
        raise NotFound
    _remove(job)
    return job


def remove_expired(now: datetime) -> int:
    """Remove exports whose time is over, with their files; return how many."""
    ended = 0
    states = [ExportState.READY, ExportState.FAILED, ExportState.WAITING]
    for pk in ExportJob.objects.filter(expires_at__lte=now, state__in=states).values_list("pk"):
        with transaction.atomic():
            job = ExportJob.objects.select_for_update(no_key=True).get(pk=pk[0])
            if job.state in states:
                _remove(job)
                ended += 1
    _sweep_drafts(now)
    return ended


def due_exports(now: datetime) -> list[int]:
    """Return the exports that wait or whose worker fell silent, oldest first."""
    waiting = ExportJob.objects.filter(state=ExportState.WAITING)
    silent = ExportJob.objects.filter(state=ExportState.RUNNING, started_at__lt=now - SILENT_FOR)
    return sorted(waiting.union(silent).values_list("pk", flat=True))


def file_of(job: ExportJob) -> Path:
    """Return where the finished file of a job lies; its name says nothing and cannot be guessed."""
    return export_directory() / f"{job.public_id}.{job.file_format}"


def export_directory() -> Path:
    """Return the directory of finished files; only the service reads it."""
    directory: Path = settings.VAR_DIR / "exports"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def _sweep_drafts(now: datetime) -> None:
    """Delete what dead workers left: hidden files that nobody writes any more."""
    for draft in export_directory().glob(".*"):
        if draft.stat().st_mtime < (now - DRAFTS_KEPT_FOR).timestamp():
            draft.unlink(missing_ok=True)


def _is_silent(job: ExportJob, now: datetime) -> bool:
    return (
        job.state == ExportState.RUNNING
        and job.started_at is not None
        and job.started_at < now - SILENT_FOR
    )


def _fail(job: ExportJob, *, code: str, text: str) -> None:
    job.state = ExportState.FAILED
    job.error_code, job.error_text = code, text[:300]
    job.finished_at = timezone.now()
    job.save(update_fields=["state", "error_code", "error_text", "finished_at"])


def _remove(job: ExportJob) -> None:
    job.state = check_transition(EXPORT_TRANSITIONS, job.state, ExportState.REMOVED)
    job.save(update_fields=["state"])
    path = file_of(job)
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
