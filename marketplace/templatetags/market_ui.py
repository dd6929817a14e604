"""Template tags of the design language: figures, times, names, icons, badges.

Every figure that a page shows goes through one of these, so that separators, units, tax marks and
time zone are the same everywhere. Use: docs/explanation/design-language.md.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext

from marketplace.domain.units import Unit
from marketplace.templatetags.audit_words import audit_text
from marketplace.templatetags.market_words import BADGE_ICONS, STATE_TONES, TAX_MARKS, UNITS

register = template.Library()

SPRITE = "vendor/tabler-icons-3.51.0/sprite.svg"
DASH = "–"
TIME_FORMATS = {
    "minute": "%Y-%m-%d %H:%M",
    "second": "%Y-%m-%d %H:%M:%S",
    "date": "%Y-%m-%d",
    "time": "%H:%M",
    "short": "%m-%d %H:%M",
    "clock_second": "%H:%M:%S",
}


def market_zone() -> ZoneInfo:
    """Return the market's time zone (Asia/Shanghai unless the operator sets another)."""
    return ZoneInfo(getattr(settings, "MARKET_TIME_ZONE", "Asia/Shanghai"))


def as_decimal(value: Any) -> Decimal | None:
    """Return the value as Decimal, None when it is absent or no number."""
    value = getattr(value, "amount", value)
    if value is None or value == "":
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def group_digits(number: Decimal, places_min: int, places_max: int | None = None) -> str:
    """Return 1,234.50: at least `places_min` and at most `places_max` decimals."""
    places_max = places_min if places_max is None else max(places_min, places_max)
    text = f"{number:,.{places_max}f}"
    if places_max > places_min:
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0").ljust(places_min, "0")
        text = f"{whole}.{fraction}" if fraction else whole
    return "0" + text[2:] if text.startswith("-0") and not text.strip("-0.,") else text


def is_chinese() -> bool:
    """True when the page is being rendered in Chinese."""
    return (get_language() or "").lower().startswith("zh")


def unit_text(unit: Any) -> str:
    """Return the unit's text: a code of UNITS, a product (unit_zh, unit_en), or the text itself."""
    if not unit:
        return ""
    if hasattr(unit, "unit_zh"):
        return str(unit.unit_zh if is_chinese() else unit.unit_en)
    return str(UNITS.get(str(unit), unit))


def currency_and_unit(currency: str, unit: str) -> tuple[str, str]:
    """Return what stands before and after the figure: ("", "元/卡时") or ("CNY", "/ card·h")."""
    if is_chinese():
        name = {"CNY": "元"}.get(currency, currency)
        return "", f"{name}/{unit}" if unit else name
    return currency, f"/ {unit}" if unit else ""


@register.simple_tag
def money(
    amount: Any, currency: str = "", unit: Any = "", places: int = 2, most: int = 0, tax: str = ""
) -> SafeString | str:
    """Print an amount with separators, currency, unit and tax mark.

    `amount` is a Decimal or Money; `places` the fixed decimals, `most` an upper limit above it;
    `tax` is "exclusive" (不含税), "inclusive" (含税) or empty.
    """
    number = as_decimal(amount)
    if number is None:
        return DASH
    code = str(currency or getattr(amount, "currency", "") or "CNY")
    before, after = currency_and_unit(code, unit_text(unit))
    return format_html(
        '<span class="money">{}<span class="figure">{}</span>{}{}</span>',
        format_html('<span class="unit">{}</span> ', before) if before else "",
        group_digits(number, places, most or None),
        format_html(' <span class="unit">{}</span>', after) if after else "",
        format_html(' <span class="tax-mark">{}</span>', TAX_MARKS[tax]) if tax else "",
    )


@register.simple_tag
def quantity(value: Any, unit: Any = "", places: int = 0, most: int = 3) -> SafeString | str:
    """Print a quantity with separators and unit; decimals only where there are any."""
    number = as_decimal(value)
    if number is None:
        return DASH
    text = unit_text(unit)
    return format_html(
        '<span class="quantity"><span class="figure">{}</span>{}</span>',
        group_digits(number, places, most),
        format_html(' <span class="unit">{}</span>', text) if text else "",
    )


@register.filter
def figure(value: Any, places: int = 2) -> str:
    """Return a bare figure with separators and a fixed number of decimals."""
    number = as_decimal(value)
    return DASH if number is None else group_digits(number, int(places))


@register.filter
def percent(value: Any, places: int = 1) -> str:
    """Return a share (0.125) as a percentage (12.5 %)."""
    number = as_decimal(value)
    return DASH if number is None else f"{group_digits(number * 100, int(places))} %"


@register.simple_tag
def signed(value: Any, places: int = 2, unit: str = "") -> SafeString | str:
    """Print a change: arrow, sign, figure; colour by the locale's custom, never colour alone."""
    number = as_decimal(value)
    if number is None:
        return DASH
    rounded = round(number, places)
    direction = "rise" if rounded > 0 else "fall" if rounded < 0 else "flat"
    words = {"rise": gettext("up"), "fall": gettext("down"), "flat": gettext("unchanged")}
    arrows = {"rise": "arrow-up", "fall": "arrow-down", "flat": "minus"}
    return format_html(
        '<span class="change change-{}">{}<span class="visually-hidden">{} </span>'
        '<span class="figure">{}{}</span>{}</span>',
        direction,
        icon(arrows[direction]),
        words[direction],
        "+" if rounded > 0 else "",
        group_digits(number, places),
        format_html(' <span class="unit">{}</span>', unit_text(unit)) if unit else "",
    )


@register.filter
def localname(thing: Any) -> str:
    """Return name_zh or name_en after the page's language; the other one if it is empty."""
    if thing is None:
        return DASH
    zh, en = getattr(thing, "name_zh", ""), getattr(thing, "name_en", "")
    return str((zh or en) if is_chinese() else (en or zh)) or str(thing)


@register.filter
def shortname(hub: Any) -> str:
    """Return a hub's short name in the page's language, for tables; the full one if it has none."""
    zh, en = getattr(hub, "short_zh", ""), getattr(hub, "short_en", "")
    return str(zh if is_chinese() else en) or localname(hub)


@register.filter
def localunit(product: Any) -> str:
    """Return the unit of a product in the page's language."""
    return unit_text(product)


@register.filter
def counted(product: Any) -> str:
    """Return what is counted of a product while it runs, in the page's language: cards, cores."""
    volume = unit_text(product)
    if is_chinese():
        return volume.removesuffix("时").removesuffix("·")
    known = {unit.en.volume: unit.en.quantity for unit in Unit}
    return known.get(volume, volume.removesuffix("·h"))


@register.filter
def listed(words: Iterable[Any]) -> str:
    """Return words as one text with the separator of the language."""
    pair = gettext("%(first)s, %(next)s")
    return reduce(
        lambda first, word: pair % {"first": first, "next": word} if first else str(word),
        words,
        "",
    )


@register.filter(is_safe=True)
def aside(words: Any) -> str:
    """Return words in the brackets of the language, ready to stand behind another word."""
    return f"（{words}）" if is_chinese() else f" ({words})"


@register.simple_tag
def gap() -> str:
    """Return what stands between two sentences: a space, and nothing in Chinese."""
    return "" if is_chinese() else " "


@register.filter(is_safe=True)
def lead_in(words: Any) -> str:
    """Return words with the colon of the language, ready to be followed by what they announce."""
    return f"{words}：" if is_chinese() else f"{words}: "


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """Print an outline icon; without `label` it is hidden from screen readers."""
    return format_html(
        '<svg class="icon{}" {}focusable="false"><use href="{}#{}"></use></svg>',
        f" icon-{size}" if size else "",
        format_html('role="img" aria-label="{}" ', label)
        if label
        else SafeString('aria-hidden="true" '),
        static(SPRITE),
        name,
    )


def state_and_label(thing: Any, label: str) -> tuple[str, str]:
    """Return the state code and its words, of a model with `state`/`status` or of a plain code."""
    for field in ("state", "status"):
        if hasattr(thing, field):
            show = getattr(thing, f"get_{field}_display", None)
            return str(getattr(thing, field)), label or str(show() if show else "")
    code = str(getattr(thing, "value", thing))
    return code, label or str(getattr(thing, "label", ""))


@register.simple_tag
def status_badge(thing: Any, label: str = "", tone: str = "") -> SafeString:
    """Print a state as tinted badge with icon and word.

    `thing` is a model instance with `state` or `status`, an enum member, or a code; a code needs
    its `label`. Tones: neutral, info, success, warning, danger, accent.
    """
    code, words = state_and_label(thing, str(label))
    shade = tone or STATE_TONES.get(code, "neutral")
    return format_html(
        '<span class="hs-badge hs-badge-{}">{}{}</span>',
        shade,
        icon(BADGE_ICONS[shade], size="xs"),
        words or code.replace("_", " "),
    )


@register.filter
def market_time(value: Any, form: str = "minute") -> SafeString | str:
    """Print an instant in market time, ISO date and 24 hours; forms: TIME_FORMATS."""
    if value is None or value == "":
        return DASH
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return format_html('<time datetime="{0}">{0}</time>', value.isoformat())
    local = timezone.localtime(value, market_zone()) if timezone.is_aware(value) else value
    return format_html(
        '<time datetime="{}">{}</time>', value.isoformat(), local.strftime(TIME_FORMATS[form])
    )


@register.simple_tag
def market_period(starts_at: datetime, ends_at: datetime) -> SafeString | str:
    """Print a half-open period in market time; midnight at the end is 24:00 of the day before."""
    if not starts_at or not ends_at:
        return DASH
    start = timezone.localtime(starts_at, market_zone())
    end = timezone.localtime(ends_at, market_zone())
    last_day, clock = end.date(), end.strftime("%H:%M")
    if clock == "00:00" and end > start:
        last_day, clock = last_day - timedelta(days=1), "24:00"
    last = clock if last_day == start.date() else f"{last_day.isoformat()} {clock}"
    return format_html(
        '<span class="period">{} {}{}{}</span>',
        start.date().isoformat(),
        start.strftime("%H:%M"),
        DASH if last == clock else f" {DASH} ",
        last,
    )


@register.filter
def duration(value: Any) -> str:
    """Return a timedelta (or seconds) in words: 2 d 3 h, 2 h 30 min, 45 s."""
    if value is None or value == "":
        return DASH
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    parts = [
        (seconds // 86400, pgettext("unit of time", "d")),
        (seconds % 86400 // 3600, pgettext("unit of time", "h")),
        (seconds % 3600 // 60, pgettext("unit of time", "min")),
        (seconds % 60, pgettext("unit of time", "s")),
    ]
    shown = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(shown) or f"0 {pgettext('unit of time', 's')}"


register.filter("audit_text", audit_text)
