"""Reports: the list, a report on screen with its parameters and files, and the files themselves."""

import hashlib
import io
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken
from marketplace.services.error_texts import error_text
from marketplace.web.access import current_actor, require
from marketplace.web.csv_answers import file_answer
from marketplace.web.form_fields import add_refusal
from settlement.exports.kinds import ReportKind, keeps_books, reads_reports
from settlement.exports.producing import (
    CONTENT_TYPES,
    FORMATS,
    MOST_AT_ONCE,
    Asked,
    asked_report,
    kind_for,
    kinds_for,
    manifest_of,
    write_report,
)
from settlement.exports.report import ReportDoesNotTie
from settlement.services.reports.export_jobs import request_export
from settlement.web.reports.forms import ParametersForm
from settlement.web.reports.table import table_of

PAGE_SIZE = 50
NOT_NOW = 503
require_report_reader = require(reads_reports)


@require_report_reader
@require_safe
def list_reports(request: HttpRequest) -> HttpResponse:
    """Show every report that the visitor may read, with what it agrees with."""
    actor = current_actor(request)
    context = {"kinds": kinds_for(actor), "is_books": keeps_books(actor)}
    return render(request, "settlement/reports/index.html", context)


@require_report_reader
@require_safe
def show_report(request: HttpRequest, code: str) -> HttpResponse:
    """Show a report: its parameters, what agrees with the ledger, a page of rows, its files."""
    kind = _kind(request, code)
    is_books = kind.reads_all(current_actor(request))
    try:
        with asked_report(current_actor(request), kind, request.GET.dict()) as asked:
            context = _context(request, asked, is_books=is_books)
        status = 200
    except RuleBroken as refusal:
        context, status = _refused(request, kind, refusal, is_books=is_books)
    context |= {"kind": kind, "crumbs": [(gettext("Reports"), reverse("reports"))]}
    return render(request, "settlement/reports/report.html", context, status=status)


@require_report_reader
@require_safe
def download_report(request: HttpRequest, code: str, file_format: str) -> HttpResponse:
    """Answer a report as a file, or its manifest; a large one is asked for in the background."""
    kind = _kind(request, code)
    is_manifest = file_format == "manifest"
    wanted = "csv" if is_manifest else file_format
    if wanted not in FORMATS:
        raise Http404
    try:
        with asked_report(current_actor(request), kind, request.GET.dict()) as asked:
            if len(asked.report.rows) > MOST_AT_ONCE[wanted]:
                messages.info(request, gettext("This file is large: have it made below."))
                return redirect(f"{reverse('report', args=[code])}?{request.GET.urlencode()}")
            out = io.BytesIO()
            write_report(asked.report, wanted, out)
    except RuleBroken as refusal:
        # No figures leave the house that the ledger does not confirm.
        status = NOT_NOW if isinstance(refusal, ReportDoesNotTie) else refusal.status
        return HttpResponse(error_text(refusal), status=status, content_type="text/plain")
    return _answer(request, asked, out.getvalue(), wanted, is_manifest=is_manifest)


@require_report_reader
@require_POST
def export_in_background(request: HttpRequest, code: str, file_format: str) -> HttpResponse:
    """Note a report to be made by a worker, and lead to the visitor's exports."""
    kind = _kind(request, code)
    if file_format not in FORMATS:
        raise Http404
    given = QueryDict(request.POST.get("query", "")).dict()
    try:
        with asked_report(current_actor(request), kind, given) as asked:
            rows = len(asked.report.rows)
            parameters = {**asked.values.raw, "cut": str(asked.values.cut)}
        request_export(
            actor=current_actor(request),
            report=code,
            parameters=parameters,
            file_format=file_format,
            rows_total=rows,
        )
    except RuleBroken as refusal:
        messages.error(request, error_text(refusal))
        return redirect("report", code=code)
    messages.success(request, gettext("The file is being made; it appears here when it is ready."))
    return redirect("exports")


def _kind(request: HttpRequest, code: str) -> ReportKind:
    try:
        return kind_for(current_actor(request), code)
    except NotFound as error:
        raise Http404 from error
    except NotPermitted as error:
        raise PermissionDenied from error


def _context(request: HttpRequest, asked: Asked, *, is_books: bool) -> dict[str, Any]:
    page = Paginator(asked.report.rows, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    query = QueryDict(mutable=True)
    query.update({**asked.values.raw, "cut": str(asked.values.cut)})
    return {
        "filter_form": _form(asked.kind, asked.values.raw, is_books=is_books),
        "report": asked.report,
        "page_obj": page,
        "table": table_of(asked.report, rows, is_books=is_books),
        "query": query.urlencode(),
        "cut": asked.values.cut,
        "files": [_file(asked, name, query.urlencode()) for name in FORMATS],
        "result_text": gettext("%(count)s rows") % {"count": page.paginator.count},
    }


def _file(asked: Asked, name: str, query: str) -> dict[str, Any]:
    code = asked.kind.code
    return {
        "name": name.upper(),
        "url": f"{reverse('report-file', args=[code, name])}?{query}",
        "export_url": reverse("report-export", args=[code, name]),
        "is_large": len(asked.report.rows) > MOST_AT_ONCE[name],
    }


def _refused(
    request: HttpRequest, kind: ReportKind, refusal: RuleBroken, *, is_books: bool
) -> tuple[dict[str, Any], int]:
    form = _form(kind, request.GET.dict(), is_books=is_books)
    if isinstance(refusal, ReportDoesNotTie):
        return {"filter_form": form, "failure": error_text(refusal)}, NOT_NOW
    is_first = refusal.code == "member_missing" and not request.GET.get("member")
    if is_first:  # nothing was asked for yet
        return {"filter_form": form, "asks_member": True}, 200
    form.is_valid()
    if refusal.field in form.fields and refusal.field not in form.errors:
        add_refusal(form, refusal)
        return {"filter_form": form, "is_refused": True}, 422
    return {"filter_form": form, "problem": error_text(refusal)}, 422


def _form(kind: ReportKind, given: Mapping[str, str], *, is_books: bool) -> ParametersForm:
    return ParametersForm(kind, dict(given), is_own=not is_books)


def _answer(
    request: HttpRequest, asked: Asked, content: bytes, file_format: str, *, is_manifest: bool
) -> HttpResponse:
    digest = hashlib.sha256(content).hexdigest()
    if is_manifest:
        manifest = manifest_of(
            asked,
            sha256=digest,
            size=len(content),
            file_format=file_format,
            actor=current_actor(request),
            now=timezone.now(),
        )
        answer = JsonResponse(manifest, json_dumps_params={"ensure_ascii": False, "indent": 2})
        name = f"{asked.filename}.manifest.json"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer
    name = f"{asked.filename}.{file_format}"
    file = file_answer(content, name=name, content_type=CONTENT_TYPES[file_format])
    file["X-Content-SHA256"] = digest
    return file
