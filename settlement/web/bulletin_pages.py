"""The daily bulletin (市场日报): list of trading days, one day as a page, and as a PDF."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.services.error_texts import error_text
from marketplace.web.csv_answers import file_answer
from orders.selectors.market_day import MarketDay, market_day, trading_days
from orders.selectors.price_index import composite_days, published_state
from orders.web.names import auction_name
from settlement.exports.bulletin import bulletin_context, bulletin_number, dividend_of_day
from settlement.exports.pdf import PdfUnavailable, bulletin_pdf

PAGE_SIZE = 30
LANGUAGES = {"zh": "zh-hans", "en": "en"}
_CACHE_SECONDS = 3600


@require_safe
def list_bulletins(request: HttpRequest) -> HttpResponse:
    """Show the trading days, newest first, each with its index and its files."""
    today = market_date(market_now())
    page = Paginator(trading_days(today=today), PAGE_SIZE).get_page(request.GET.get("page"))
    levels = {row.day: row for row in composite_days(today=today)}
    context = {
        "page_obj": page,
        "rows": [
            {"day": day, "number": bulletin_number(day), "index": levels.get(day)}
            for day in page.object_list
        ],
        "today": today,
        "result_text": gettext("%(count)s trading days") % {"count": page.paginator.count},
    }
    return render(request, "settlement/bulletins.html", context)


@require_safe
def show_bulletin(request: HttpRequest, day: str) -> HttpResponse:
    """Show the bulletin of a trading day."""
    figures = _find(day)
    context: dict[str, Any] = bulletin_context(figures)
    context["auctions"] = [
        {"run": run, "name": auction_name(run.auction)} for run in context["auctions"]
    ]
    context["is_over"] = figures.day < market_date(market_now())
    return render(request, "settlement/bulletin.html", context)


@require_safe
def download_bulletin(request: HttpRequest, day: str, language: str) -> HttpResponse:
    """Answer a day's bulletin as PDF; kept until something is published again."""
    figures = _find(day)
    if language not in LANGUAGES:
        raise Http404
    dividend = dividend_of_day(figures)
    known = dividend.runs if dividend else 0
    key = f"bulletin:{figures.day}:{language}:{published_state()}:{known}"
    content = cache.get(key)
    if content is None:
        try:
            content = bulletin_pdf(figures, language=LANGUAGES[language])
        except PdfUnavailable as error:
            messages.error(request, error_text(error))
            return redirect("bulletin", day=figures.day.isoformat())
        cache.set(key, content, _CACHE_SECONDS)
    name = f"{bulletin_number(figures.day)}-{language}.pdf"
    return file_answer(content, name=name, content_type="application/pdf")


def _find(text: str) -> MarketDay:
    try:
        figures = market_day(date.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    if figures is None:
        raise Http404
    return figures
