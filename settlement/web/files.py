"""Downloads: statement, summary, trial balance, register as CSV or XLSX."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from marketplace.services.error_texts import error_text
from marketplace.web.access import acting_organisation, require_finance
from marketplace.web.csv_answers import file_answer
from settlement.exports.files import (
    FORMATS,
    export_register,
    export_statement,
    export_summary,
    export_trial_balance,
)
from settlement.exports.report import ExportFile
from settlement.selectors.settlement_summary import SummaryDoesNotTie
from settlement.selectors.statements import StatementDoesNotTie
from settlement.web.balance_pages import require_member_money
from settlement.web.spans import Span, read_span
from settlement.web.summary_pages import read_grouping

NOT_NOW = 503


@require_member_money
@require_safe
def download_statement(request: HttpRequest, file_format: str) -> HttpResponse:
    """Answer the member's statement; ``part=holds`` gives the holds as CSV."""
    organisation = acting_organisation(request)
    part = "holds" if request.GET.get("part") == "holds" else ""
    return _answer(
        request,
        file_format,
        lambda span: export_statement(
            organisation, span.starts_on, span.ends_on, file_format=file_format, part=part
        ),
    )


@require_finance
@require_safe
def download_summary(request: HttpRequest, file_format: str) -> HttpResponse:
    """Answer the settlement summary."""
    by = read_grouping(request)
    return _answer(
        request,
        file_format,
        lambda span: export_summary(span.starts_on, span.ends_on, by=by, file_format=file_format),
    )


@require_finance
@require_safe
def download_trial_balance(request: HttpRequest, file_format: str) -> HttpResponse:
    """Answer the trial balance."""
    return _answer(
        request,
        file_format,
        lambda span: export_trial_balance(span.starts_on, span.ends_on, file_format=file_format),
    )


@require_finance
@require_safe
def download_register(request: HttpRequest, file_format: str) -> HttpResponse:
    """Answer the register of bills of a span, of all members."""
    return _answer(
        request,
        file_format,
        lambda span: export_register(span.starts_on, span.ends_on, file_format=file_format),
    )


def _answer(
    request: HttpRequest, file_format: str, build: Callable[[Span], ExportFile]
) -> HttpResponse:
    if file_format not in FORMATS:
        raise Http404
    _form, span = read_span(request.GET)
    try:
        made = build(span)
    except (SummaryDoesNotTie, StatementDoesNotTie) as error:
        # No figures leave the house that the ledger does not confirm.
        return HttpResponse(error_text(error), status=NOT_NOW, content_type="text/plain")
    response = file_answer(made.content, name=made.filename, content_type=made.content_type)
    response["X-Content-SHA256"] = str(made.manifest["sha256"])
    return response
