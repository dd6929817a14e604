"""The findings of the check before a bid, as sentences in the reader's language."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.templatetags.market_ui import as_decimal, figure, market_zone
from orders.services.pretrade import Finding
from orders.web.reasons import price_figure

# Where there is a latency limit and where there is none (`_anywhere`).
TEXTS: dict[str, str | Promise] = {
    "no_hub_in_reach": _("No hub that sells lies within %(limit)s ms of the place of use."),
    "nothing_offered": _("No hub within %(limit)s ms offers this product in this auction."),
    "nothing_offered_anywhere": _("No hub offers this product in this auction."),
    "offered_later": _("No hub within %(limit)s ms offers this product before %(starts_at)s."),
    "offered_later_anywhere": _("No hub offers this product before %(starts_at)s."),
    "offered_earlier": _(
        "No hub within %(limit)s ms offers this product in your window; there is some from "
        "%(starts_at)s."
    ),
    "offered_earlier_anywhere": _(
        "No hub offers this product in your window; there is some from %(starts_at)s."
    ),
    "no_listing_in_class": _(
        "No hub within reach offers capacity of at most %(grams)s g per unit-hour in your window."
    ),
    "too_few_units": _(
        "At most %(free)s units are free at once in your window; you ask for %(asked)s."
    ),
    "no_listing_with_marks": _("No listing within reach has the marks you ask for."),
    "no_single_listing": _(
        "No single listing has %(asked)s units for your whole window; the largest has %(free)s."
    ),
    "limit_below_all": _(
        "Your limit is below every price of the last %(days)s days; the lowest was %(lowest)s "
        "(auctions counted: %(seen)s)."
    ),
}


def finding_texts(findings: Iterable[Finding]) -> list[str]:
    """Return one sentence a finding, with figures, units and market time."""
    return [_text(finding) for finding in findings]


def _text(finding: Finding) -> str:
    code = finding.code
    if finding.params.get("limit") == "" and f"{code}_anywhere" in TEXTS:
        code = f"{code}_anywhere"
    return str(TEXTS[code]) % _readable(finding.params)


def _readable(params: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: str(value) for name, value in params.items()}
    for name in ("free", "asked"):
        if name in params:
            texts[name] = figure(params[name], 0)
    if "lowest" in params:
        texts["lowest"] = price_figure(as_decimal(params["lowest"]))
    if "starts_at" in params:
        texts["starts_at"] = _clock(str(params["starts_at"]))
    return texts


def _clock(text: str) -> str:
    return f"{timezone.localtime(datetime.fromisoformat(text), market_zone()):%m-%d %H:%M}"
