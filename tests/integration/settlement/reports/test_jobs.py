"""Exports in the background: one snapshot, no half file, dead workers, expiry (scenario S-28)."""

import io
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from marketplace.models import Membership
from settlement.exports import jobs
from settlement.exports.jobs import run_export
from settlement.exports.producing import asked_report, kind_for, write_report
from settlement.models import ExportJob
from settlement.services.reports.export_jobs import (
    MOST_WAITING,
    SILENT_FOR,
    TooManyExports,
    due_exports,
    export_directory,
    file_of,
    remove_expired,
    request_export,
)
from tests.factories.ledger import deposit
from tests.factories.settlement import Market, funded
from tests.integration.settlement.reports.test_framework import lines
from tests.web.desks import Desk, platform_people

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """Stands for a process that ends in the middle of its work."""


@pytest.fixture
def finance():
    Market()
    funded("1000")
    return platform_people()["finance"]


def asked(actor, file_format: str = "csv") -> ExportJob:
    """Return a waiting export of the journal."""
    return request_export(
        actor=actor, report="journal", parameters={}, file_format=file_format, rows_total=2
    )


def visible_files() -> set[str]:
    """Return the names of the finished files."""
    return {path.name for path in export_directory().iterdir() if not path.name.startswith(".")}


def test_a_worker_that_dies_leaves_no_file_and_another_one_makes_it(finance, monkeypatch) -> None:
    """S-28: no half file is visible after a worker died."""
    job = asked(finance)

    def die_half_way(report, file_format, out, *, progress=None) -> None:
        out.write(b"half a file")
        raise Killed

    monkeypatch.setattr(jobs, "write_report", die_half_way)
    with pytest.raises(Killed):
        run_export(job_id=job.pk)
    monkeypatch.undo()
    after_death = visible_files()
    too_early = run_export(job_id=job.pk)
    later = timezone.now() + SILENT_FOR + timedelta(minutes=1)
    due = due_exports(later)
    ExportJob.objects.filter(pk=job.pk).update(started_at=timezone.now() - 2 * SILENT_FOR)
    made = run_export(job_id=job.pk)
    job.refresh_from_db()

    assert f"{job.public_id}.csv" not in after_death
    assert (too_early, due, made) == (False, [job.pk], True)
    assert (job.state, job.attempts) == ("ready", 2)
    assert file_of(job).read_bytes().startswith("\ufeff".encode())


def test_a_job_that_kills_every_worker_is_given_up(finance) -> None:
    job = asked(finance)
    ExportJob.objects.filter(pk=job.pk).update(attempts=3)

    assert run_export(job_id=job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "export_given_up")


def test_two_persons_have_the_same_bytes_and_files_of_their_own(finance) -> None:
    """S-28: two persons, the same export, a file of their own each."""
    second = platform_people()["second"]
    made = [asked(finance), asked(second)]
    for job in made:
        assert run_export(job_id=job.pk)
        job.refresh_from_db()

    assert made[0].sha256 == made[1].sha256
    assert file_of(made[0]) != file_of(made[1])
    assert made[0].manifest["generated_by"] != made[1].manifest["generated_by"]


def test_who_lost_the_role_gets_no_file(finance) -> None:
    job = asked(finance)
    Membership.objects.filter(user=finance.user).delete()

    assert run_export(job_id=job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "not_permitted")


def test_files_go_when_their_time_is_over(finance, django_capture_on_commit_callbacks) -> None:
    job = asked(finance)
    run_export(job_id=job.pk)
    path = file_of(job)
    ExportJob.objects.filter(pk=job.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        ended = remove_expired(timezone.now())

    job.refresh_from_db()
    assert (ended, job.state, path.exists()) == (1, "removed", False)


def test_a_person_waits_for_so_many_files_and_no_more(finance) -> None:
    for _ in range(MOST_WAITING):
        asked(finance)

    with pytest.raises(TooManyExports):
        asked(finance)


@pytest.mark.django_db(transaction=True)
def test_postings_made_meanwhile_do_not_tear_a_report() -> None:
    """S-28: one snapshot while postings go on, control totals right."""
    desk = Desk().settled()
    out = io.BytesIO()

    def post() -> None:
        try:
            deposit(desk.buying, "12345.00")
        finally:
            connection.close()

    with asked_report(desk.people["finance"], kind_for(desk.people["finance"], "journal"), {}) as a:
        writer = threading.Thread(target=post)
        writer.start()
        writer.join()
        write_report(a.report, "csv", out)
        expected = a.report.control_totals()
    rows = lines(out.getvalue())
    figures = [row for row in rows[1:] if not row[0].startswith("#")]

    assert len(figures) == int(expected["rows"])
    assert "12345.00" not in out.getvalue().decode()
