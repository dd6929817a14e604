"""Words of grid factors in the reader's language."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.templatetags.market_ui import as_decimal, is_chinese, listed

register = template.Library()

BASES = {
    "average": _("Average of the grid"),
    "average_excl_market_traded_non_fossil": _("Average without traded non-fossil power"),
    "fossil_only": _("Fossil power alone"),
    "ets_reporting_default": _("Default of the emissions trading scheme"),
}


# How the shipped tables cite the ministry (MEE) and the statistics bureau (NBS).
CITATION = re.compile(r"MEE\+NBS Announcement (\d{4}) No\. ?(\d+)")


@register.filter
def thousands(value: Any) -> Decimal | None:
    """Return watt-hours as kilowatt-hours, grams as kilograms."""
    number = as_decimal(value)
    return None if number is None else number / 1000


@register.filter
def announcement(text: str) -> str:
    """Return a citation of a published factor set in the reader's language."""
    cited = CITATION.fullmatch(text.strip())
    if cited is None:
        return text
    words = gettext("MEE and NBS, Announcement %(year)s No. %(number)s")
    return words % {"year": cited[1], "number": cited[2]}


@register.filter
def factor_basis(code: str) -> str:
    """Return what a factor is an average of; an unknown code as it is."""
    return str(BASES.get(code, code))


@register.filter
def unit_of_work(row: Any) -> str:
    """Return the functional unit of an intensity, such as the card-hour."""
    return str(row.unit_zh if is_chinese() else row.unit_en)


@register.filter
def models_named(names: Iterable[str]) -> str:
    """Return hardware models as a list; a pool that names none is said to."""
    return listed(name or gettext("model not stated") for name in names)
