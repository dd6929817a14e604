"""The background part of an export: the file is written beside its place and then put there whole.

A worker that dies leaves a draft that nobody sees; the next attempt writes its own.
"""

import os
import tempfile
import time
from pathlib import Path

from django.db import connection
from django.utils import timezone, translation

from marketplace.domain.errors import RuleBroken
from marketplace.permissions import Actor, actor_for
from marketplace.services.error_texts import error_text
from settlement.exports.producing import (
    Asked,
    asked_report,
    hash_of,
    kind_for,
    manifest_of,
    write_report,
)
from settlement.models import ExportJob
from settlement.services.reports.export_jobs import (
    export_directory,
    fail_export,
    file_of,
    finish_export,
    take_export,
)

_TELL_EVERY_S = 1.0
_PROGRESS = """
UPDATE settlement_exportjob SET rows_done = %s, started_at = clock_timestamp()
 WHERE id = %s AND state = 'running' AND attempts = %s
"""


def run_export(*, job_id: int) -> bool:
    """Make the file of a job; False when there was nothing to do or it was refused.

    Permission is asked again, as of now: a person who left the organisation gets nothing.
    """
    job = take_export(job_id=job_id, now=timezone.now())
    if job is None:
        return False
    with translation.override(job.language):
        try:
            return _make(job)
        except RuleBroken as refusal:
            fail_export(job=job, code=refusal.code, text=error_text(refusal))
            return False


def _make(job: ExportJob) -> bool:
    actor = actor_for(user=job.user, organisation_id=job.organisation_id)
    if actor.organisation is None or actor.organisation.pk != job.organisation_id:
        actor = Actor(user=job.user, organisation=None, roles=frozenset())
    kind = kind_for(actor, job.report)
    draft = _draft(job)
    try:
        with asked_report(actor, kind, job.parameters) as asked:
            _write(job, asked, draft)
            rows = len(asked.report.rows)
            manifest = manifest_of(
                asked,
                sha256=hash_of(draft),
                size=draft.stat().st_size,
                file_format=job.file_format,
                actor=actor,
                now=timezone.now(),
            )
        draft.replace(file_of(job))  # whole or not at all
        _sync(export_directory())
        return finish_export(
            job=job,
            filename=f"{asked.filename}.{job.file_format}",
            sha256=manifest["sha256"],
            size=manifest["size_bytes"],
            rows=rows,
            manifest=manifest,
        )
    finally:
        draft.unlink(missing_ok=True)


def _draft(job: ExportJob) -> Path:
    handle, name = tempfile.mkstemp(
        prefix=f".{job.public_id}-{job.attempts}-", dir=export_directory()
    )
    os.close(handle)
    return Path(name)


def _write(job: ExportJob, asked: Asked, draft: Path) -> None:
    told = time.monotonic()

    def progress(rows: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_EVERY_S:
            told = time.monotonic()
            _tell(job, rows)

    with draft.open("wb") as out:
        write_report(asked.report, job.file_format, out, progress=progress)
        out.flush()
        os.fsync(out.fileno())


def _tell(job: ExportJob, rows: int) -> None:
    """Note the progress on a connection of its own: the report is read in one transaction."""
    beside = connection.copy()
    try:
        with beside.cursor() as cursor:
            cursor.execute(_PROGRESS, [rows, job.pk, job.attempts])
    finally:
        beside.close()


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
