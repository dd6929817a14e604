"""The rule book of the market, page by page, in the reader's language."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from marketplace.domain.rulebook import PAGES, read_page
from marketplace.templatetags.market_ui import is_chinese


@require_safe
def open_rulebook(request: HttpRequest) -> HttpResponse:
    """Lead to the first page."""
    return redirect("rulebook-page", next(iter(PAGES)))


@require_safe
def show_rules(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one page with its contents."""
    if slug not in PAGES:
        raise Http404
    page = read_page(slug, chinese=is_chinese())
    context: dict[str, Any] = {
        "page": page,
        # The text comes from the project's own documentation, its raw HTML escaped.
        "text": mark_safe(page.html),  # noqa: S308
        "tabs": _tabs(slug),
    }
    return render(request, "marketplace/rulebook.html", context)


def _tabs(active: str) -> list[dict[str, Any]]:
    labels = {
        "market-rules": gettext("Market rules"),
        "price-index": gettext("Price index"),
        "carbon": pgettext("rule book", "Energy and emissions"),
        "green-supply": gettext("Green supply"),
    }
    return [
        {"label": labels[slug], "url": f"../{slug}/", "active": slug == active} for slug in PAGES
    ]
