"""Terms of agreements in plain words, for pages."""

from collections.abc import Iterable

from django.utils.translation import gettext

from marketplace.services.checks import plain
from marketplace.templatetags.market_ui import figure, listed, percent
from settlement.models import AgreementVersion, CapPeriod, InstrumentType


def type_names(codes: Iterable[str]) -> str:
    """Return instrument types in words."""
    return listed(str(InstrumentType(code).label) for code in codes)


def conditions(version: AgreementVersion) -> list[tuple[str, str]]:
    """Return what a version says, as pairs of label and words."""
    per_credit = version.factor_k * (1 - version.discount_d)
    return [
        (gettext("Takes"), type_names(version.instrument_types)),
        (
            gettext("Programmes"),
            listed(version.programmes) or gettext("Every programme of the registry"),
        ),
        (gettext("Vintages"), f"{version.vintage_min}–{version.vintage_max}"),
        (
            gettext("One credit counts"),
            gettext("%(tonnes)s t (factor %(factor)s, %(discount)s off)")
            % {
                "tonnes": plain(per_credit),
                "factor": plain(version.factor_k),
                "discount": percent(version.discount_d, 2),
            },
        ),
        (gettext("At most of a statement"), _share(version)),
        (gettext("Common cap"), _cap(version.absolute_cap_t, version)),
        (gettext("Cap of one party"), _cap(version.party_cap_t, version)),
        (gettext("In force"), f"{version.valid_from:%Y-%m-%d} – {version.valid_to:%Y-%m-%d}"),
        (gettext("Corresponding adjustment"), _adjustment(version)),
        (gettext("Priority"), str(version.priority)),
    ]


def cap_line(version: AgreementVersion) -> str:
    """Return the most important limits in one line."""
    parts = []
    if version.relative_cap is not None:
        share = percent(version.relative_cap, 2)
        parts.append(gettext("%(share)s of a statement") % {"share": share})
    if version.absolute_cap_t is not None:
        parts.append(_cap(version.absolute_cap_t, version))
    return listed(parts) or gettext("No cap")


def _share(version: AgreementVersion) -> str:
    if version.relative_cap is None:
        return gettext("No cap")
    return gettext("%(share)s of its market-based emissions") % {
        "share": percent(version.relative_cap, 2)
    }


def _cap(tonnes: object, version: AgreementVersion) -> str:
    if tonnes is None:
        return gettext("No cap")
    spans = {
        CapPeriod.YEAR: gettext("%(tonnes)s t a calendar year"),
        CapPeriod.MONTH: gettext("%(tonnes)s t a calendar month"),
        CapPeriod.TERM: gettext("%(tonnes)s t over the whole term"),
    }
    return spans[CapPeriod(version.cap_period)] % {"tonnes": figure(tonnes, 0)}


def _adjustment(version: AgreementVersion) -> str:
    return gettext("Required") if version.adjustment_required else gettext("Not required")
