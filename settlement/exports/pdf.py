"""PDF: bilingual confirmation (成交确认单) and bill (结算单), and the daily bulletin (市场日报).

WeasyPrint needs Pango and is heavy, so it is imported when the first document is asked for. Its
fetcher gives out the project's own fonts and nothing else: no file, no network.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from marketplace.domain.errors import RuleBroken, gettext_noop
from orders.models import Allocation
from orders.selectors.market_day import MarketDay
from settlement.exports.bulletin import bulletin_context
from settlement.exports.documents import confirmation_context, invoice_context
from settlement.models import Invoice

PDF_BASE = "asset:///"
_ASSETS = {"fonts/noto-sans-sc-gb2312.woff2": "font/woff2", "css/pdf.css": "text/css"}


class PdfUnavailable(RuleBroken):
    """The libraries that draw PDF are not installed on this machine."""

    code = "pdf_unavailable"
    message = gettext_noop("PDF needs the system library Pango (Debian: libpango-1.0-0).")
    status = 503


def confirmation_pdf(allocation: Allocation) -> bytes:
    """Return the confirmation of an allocation (成交确认单) in both languages.

    Raises:
        PdfUnavailable: Pango is missing.
    """
    return _pdf("settlement/pdf/confirmation.html", confirmation_context(allocation))


def invoice_pdf(invoice: Invoice) -> bytes:
    """Return a bill or a supplier's statement (结算单) in both languages.

    Raises:
        PdfUnavailable: Pango is missing.
    """
    return _pdf("settlement/pdf/invoice.html", invoice_context(invoice))


def bulletin_pdf(day: MarketDay, *, language: str) -> bytes:
    """Return the daily bulletin (市场日报) in one language, `zh-hans` or `en`.

    Raises:
        PdfUnavailable: Pango is missing.
    """
    with translation.override(language):
        context = {**bulletin_context(day), "language": language}
        return _pdf("settlement/pdf/bulletin.html", context)


def draw_pdf(template: str, context: dict[str, Any]) -> bytes:
    """Return a document of ours; raises PdfUnavailable."""
    return _pdf(template, context)


def _pdf(template: str, context: dict[str, Any]) -> bytes:
    weasyprint, fetcher = pdf_engine()
    document = weasyprint.HTML(
        string=render_to_string(template, context), base_url=PDF_BASE, url_fetcher=fetcher
    )
    try:
        return document.write_pdf()
    except weasyprint.urls.FatalURLFetchingError as error:
        # Not an Exception by its class: it would end the process instead of the request.
        raise RuntimeError(str(error)) from error


@lru_cache(maxsize=1)
def pdf_engine() -> tuple[Any, Any]:
    try:
        import weasyprint  # noqa: PLC0415 - loads Pango
        from weasyprint.urls import (  # noqa: PLC0415
            FatalURLFetchingError,
            URLFetcher,
            URLFetcherResponse,
        )
    except OSError as error:
        raise PdfUnavailable from error

    class BundledFetcher(URLFetcher):
        """Gives out the listed files; anything else stops the document."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            name = url.removeprefix(PDF_BASE)
            if not url.startswith(PDF_BASE) or name not in _ASSETS:
                raise FatalURLFetchingError(f"documents load nothing from outside: {url}")
            content = (Path(settings.BASE_DIR) / "static" / name).read_bytes()
            return URLFetcherResponse(url, content, {"Content-Type": _ASSETS[name]})

    return weasyprint, BundledFetcher()
