"""My exports (我的导出): what was asked for, how far it is, the files, and their removal."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.services.error_texts import error_text
from marketplace.web.access import acting_organisation, current_actor
from marketplace.web.polling import fingerprint, live_address, polled, unchanged_list
from settlement.exports.catalogue import REPORTS
from settlement.exports.producing import CONTENT_TYPES
from settlement.models import ExportJob, ExportState
from settlement.services.reports.export_jobs import file_of, remove_export
from settlement.web.reports.pages import require_report_reader

PAGE_SIZE = 20
UNDER_WAY = (ExportState.WAITING, ExportState.RUNNING)
_TITLES = {kind.code: kind.title for kind in REPORTS}


@require_report_reader
@require_safe
def list_exports(request: HttpRequest) -> HttpResponse:
    """Show the visitor's own exports; the list asks again while something is under way."""
    jobs = own_exports(request)
    page = Paginator(jobs, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [_row(job) for job in page.object_list]
    state = fingerprint(*((job.pk, job.state, job.rows_done) for job in page.object_list))
    same = unchanged_list(request, state)
    if same is not None:
        return same
    is_under_way = any(row["job"].state in UNDER_WAY for row in rows)
    context = {
        "page_obj": page,
        "rows": rows,
        "live_url": live_address(request, state) if is_under_way else "",
        "result_text": gettext("%(count)s exports") % {"count": page.paginator.count},
    }
    return polled(render(request, "settlement/reports/exports.html", context), state=state)


@require_report_reader
@require_safe
@never_cache
def download_export(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Answer a finished file, to whoever asked for it only."""
    job = _ready(request, public_id)
    path = file_of(job)
    if not path.is_file():
        raise Http404
    answer = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=job.filename,
        content_type=CONTENT_TYPES[job.file_format],
    )
    answer["X-Content-SHA256"] = job.sha256
    return answer


@require_report_reader
@require_safe
@never_cache
def download_manifest(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer the manifest of a finished file."""
    job = _ready(request, public_id)
    answer = JsonResponse(job.manifest, json_dumps_params={"ensure_ascii": False, "indent": 2})
    name = f"{job.filename}.manifest.json"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_report_reader
@require_POST
def delete_export(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Remove an own export and its file."""
    get_own(request, public_id)
    try:
        remove_export(actor=current_actor(request), public_id=public_id)
    except RuleBroken as refusal:
        messages.error(request, error_text(refusal))
    else:
        messages.success(request, gettext("The export is removed."))
    return redirect("exports")


def own_exports(request: HttpRequest) -> QuerySet[ExportJob]:
    """Return the exports that the visitor asked for, for the organisation acted for."""
    jobs = ExportJob.objects.filter(
        user=current_actor(request).user, organisation=acting_organisation(request)
    )
    return jobs.exclude(state=ExportState.REMOVED).order_by("-id")


def get_own(request: HttpRequest, public_id: UUID) -> ExportJob:
    """Return an own export; anybody else's is not found."""
    job = own_exports(request).filter(public_id=public_id).first()
    if job is None:
        raise Http404
    return job


def _ready(request: HttpRequest, public_id: UUID) -> ExportJob:
    job = get_own(request, public_id)
    if job.state != ExportState.READY or job.expires_at <= timezone.now():
        raise Http404
    return job


def _row(job: ExportJob) -> dict[str, Any]:
    return {
        "job": job,
        "title": _TITLES.get(job.report, job.report),
        "format": job.file_format.upper(),
        "asked_for": " · ".join(
            str(value) for name, value in job.parameters.items() if value and name != "cut"
        ),
        "is_under_way": job.state in UNDER_WAY,
        "badge": "ok" if job.state == ExportState.READY else job.state,
    }
