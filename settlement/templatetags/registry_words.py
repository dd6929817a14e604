"""Words of registries in the reader's language."""

from datetime import UTC, datetime

from django import template
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.provinces import provinces
from marketplace.templatetags.market_ui import is_chinese, unit_text
from marketplace.templatetags.market_words import UNITS
from settlement.domain.registry.granular import STATUSES

register = template.Library()

TECHNOLOGIES = {
    "onshore_wind": _("Onshore wind"),
    "offshore_wind": _("Offshore wind"),
    "photovoltaic": _("Photovoltaics"),
    "solar_thermal": _("Solar thermal power"),
    "afforestation": _("Afforestation"),
    "forestry": _("Forestry"),
    "mangrove": _("Mangrove planting"),
    "biogas": _("Use of biogas"),
}


# Granular certificates have words of their own for the states of units.
GRANULAR_WORDS = {
    "active": pgettext_lazy("granular certificates", "Active"),
    "reserved": pgettext_lazy("granular certificates", "Reserved"),
    "locked": pgettext_lazy("granular certificates", "Locked"),
    "cancelled": pgettext_lazy("granular certificates", "Cancelled for an hour"),
    "expired": pgettext_lazy("granular certificates", "Expired"),
    "withdrawn": pgettext_lazy("granular certificates", "Withdrawn"),
}


@register.simple_tag
def granular_status(state: str) -> str:
    """Return a state of units in the words of granular certificates."""
    return str(GRANULAR_WORDS.get(STATUSES.get(state, state), state))


@register.filter
def utc_time(instant: datetime) -> str:
    """Return an instant in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}Z"


@register.filter
def technology_name(code: str) -> str:
    """Return the name of a technology; an unknown code as it is."""
    return str(TECHNOLOGIES.get(code, code))


@register.filter
def unit_name(unit: str) -> str:
    """Return a registry's unit as it is written everywhere else: tCO₂e, not tCO2e."""
    return unit_text(unit.lower()) if unit.lower() in UNITS else unit


@register.filter
def jurisdiction_name(code: str) -> str:
    """Return where a registry holds: the code of a place, or the word for no single country."""
    return str(_("International")) if code == "international" else code


@register.filter
def province_name(name: str) -> str:
    """Return the name of a province, which registries' tables keep in English."""
    return provinces().get(name, name) if is_chinese() else name
