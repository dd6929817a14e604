"""The span of days that a statement or a summary covers."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from marketplace.web.form_fields import DayField

LONGEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Span:
    """From one day to another, both included."""

    starts_on: date
    ends_on: date

    @property
    def query(self) -> str:
        """Return the span as the arguments of a link."""
        return f"since={self.starts_on.isoformat()}&until={self.ends_on.isoformat()}"


class SpanForm(forms.Form):
    """Two days; what is left out is filled with the present month."""

    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until"), required=False)

    def clean(self) -> dict[str, date]:
        """Refuse a span that runs backwards or is too long."""
        given = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day lies before the first."))
        elif since and until and until - since > LONGEST:
            self.add_error("until", _("At most 400 days at once."))
        return given

    def span(self) -> Span:
        """Return the span asked for, or the present month when it was refused."""
        given = self.cleaned_data if self.is_valid() else {}
        month = present_month()
        since = given.get("since") or month.starts_on
        until = given.get("until") or max(month.ends_on, since)
        return Span(since, min(until, since + LONGEST))


def present_month() -> Span:
    """Return the month in which market time stands."""
    today = market_date(market_now())
    last = monthrange(today.year, today.month)[1]
    return Span(today.replace(day=1), today.replace(day=last))


def read_span(data: QueryDict) -> tuple[SpanForm, Span]:
    """Return the form, showing what was understood, and the span."""
    form = SpanForm(data)
    span = form.span()
    if form.errors:
        return form, span
    shown = SpanForm({"since": span.starts_on.isoformat(), "until": span.ends_on.isoformat()})
    shown.is_valid()
    return shown, span


def quick_spans(own_url: str, chosen: Span, *, extra: str = "") -> list[dict[str, object]]:
    """Return tabs for the present and the last two months."""
    spans, month = [], present_month()
    for _index in range(3):
        spans.append(month)
        last = month.starts_on - timedelta(days=1)
        month = Span(last.replace(day=1), last)
    return [
        {
            "label": f"{span.starts_on:%Y-%m}",
            "url": f"{own_url}?{span.query}{extra}",
            "active": span == chosen,
        }
        for span in spans
    ]
