"""The terms of an agreement as people propose them: checked, with conservative defaults."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.domain.money import round_money
from marketplace.services.checks import check_range
from settlement.domain.carbon.errors import InstrumentNotEligible
from settlement.models import (
    AgreementVersion,
    CapPeriod,
    InstrumentType,
    Programme,
    Registry,
)

NEVER_TONNES = frozenset({InstrumentType.ENERGY_ATTRIBUTE.value})
SINK_DISCOUNT = Decimal("0.1000")
DEFAULT_RELATIVE_CAP = Decimal("0.0500")
DEFAULT_VINTAGE_YEARS = 3
_MOST_TONNES = Decimal(999_999_999_999)


class WindowBackwards(RuleBroken):
    """A window ends before it begins."""

    code = "window_backwards"
    message = gettext_noop("The end lies before the beginning.")


class TooManyDecimals(RuleBroken):
    """A figure is finer than the rules allow."""

    code = "too_many_decimals"
    message = gettext_noop("At most %(places)s decimals.")


class ProgrammeUnknown(RuleBroken):
    """The registry has no such programme."""

    code = "programme_unknown"
    message = gettext_noop("The registry has no programme %(programme)s.")


class CrossBorderUnadjusted(RuleBroken):
    """Units from abroad are recognised with a corresponding adjustment only."""

    code = "cross_border_unadjusted"
    message = gettext_noop("Across a border the corresponding adjustment is required.")


@dataclass(frozen=True)
class TermsDraft:
    """What a version says. Shares have 4 decimals, tonnes 6; an empty cap does not limit.

    Attributes:
        instrument_types: types that are taken; energy attributes never are.
        programmes: codes of programmes that are taken; empty means all.
        vintage_min, vintage_max: vintage years, both included.
        valid_from, valid_to: days of retirement, both included, UTC+8.
        factor_k, discount_d: a credit counts k × (1 − d) tonnes.
        relative_cap: share of the statement's market-based tonnes.
        absolute_cap_t: tonnes in each cap period, all parties together.
        party_cap_t: tonnes in each cap period, each party.
        priority: lower is tried first.
    """

    instrument_types: tuple[str, ...]
    vintage_min: int
    vintage_max: int
    valid_from: date
    valid_to: date
    factor_k: Decimal = Decimal(1)
    discount_d: Decimal = Decimal(0)
    relative_cap: Decimal | None = DEFAULT_RELATIVE_CAP
    absolute_cap_t: Decimal | None = None
    party_cap_t: Decimal | None = None
    cap_period: str = CapPeriod.YEAR.value
    programmes: tuple[str, ...] = ()
    adjustment_required: bool = False
    priority: int = 100

    def fields(self) -> dict[str, Any]:
        """Return the columns of a version."""
        return {
            **asdict(self),
            "instrument_types": sorted(set(self.instrument_types)),
            "programmes": sorted(set(self.programmes)),
        }


def conservative_terms(*, instrument_type: str, on: date, years: int = 1) -> TermsDraft:
    """Return the defaults: k = 1, 10 % off for sinks, 5 % of the statement, last three vintages."""
    is_sink = instrument_type == InstrumentType.SINK_REMOVAL
    return TermsDraft(
        instrument_types=(instrument_type,),
        vintage_min=on.year - DEFAULT_VINTAGE_YEARS,
        vintage_max=on.year,
        valid_from=on,
        valid_to=date(on.year + years - 1, 12, 31),
        discount_d=SINK_DISCOUNT if is_sink else Decimal(0),
    )


def terms_of(version: AgreementVersion) -> TermsDraft:
    """Return what a version says, to change a part of it."""
    names = list(TermsDraft.__dataclass_fields__)
    given = {name: getattr(version, name) for name in names}
    for name in ("instrument_types", "programmes"):
        given[name] = tuple(given[name])
    return TermsDraft(**given)


def check_terms(terms: TermsDraft, *, from_registry: Registry, to_scheme: Registry) -> TermsDraft:
    """Refuse terms that break a rule of recognition.

    Raises:
        InstrumentNotEligible: no type, an unknown one, or an energy attribute.
        ProgrammeUnknown, OutOfRange, TooManyDecimals, WindowBackwards: with the field.
        CrossBorderUnadjusted: a foreign registry without the corresponding adjustment.
    """
    _check_types(terms, from_registry)
    _check_share(terms.factor_k, "factor_k", least=Decimal("0.0001"))
    _check_share(terms.discount_d, "discount_d", most=Decimal("0.9999"))
    if terms.relative_cap is not None:
        _check_share(terms.relative_cap, "relative_cap")
    for name in ("absolute_cap_t", "party_cap_t"):
        _check_tonnes(getattr(terms, name), name)
    check_range(Decimal(terms.priority), least=Decimal(1), most=Decimal(9999), field="priority")
    for name in ("vintage_min", "vintage_max"):
        year = Decimal(getattr(terms, name))
        check_range(year, least=Decimal(1990), most=Decimal(2100), field=name)
    if terms.vintage_max < terms.vintage_min:
        raise WindowBackwards(field="vintage_max")
    if terms.valid_to < terms.valid_from:
        raise WindowBackwards(field="valid_to")
    is_foreign = country_of(from_registry) != country_of(to_scheme)
    if is_foreign and not terms.adjustment_required:
        raise CrossBorderUnadjusted(field="adjustment_required")
    return terms


def country_of(registry: Registry) -> str:
    """Return the country of a registry: its jurisdiction up to the first hyphen (`CN-HE`)."""
    return registry.jurisdiction.split("-")[0]


def _check_types(terms: TermsDraft, registry: Registry) -> None:
    known = set(InstrumentType.values) - NEVER_TONNES
    if not terms.instrument_types or not set(terms.instrument_types) <= known:
        raise InstrumentNotEligible(field="instrument_types")
    known_codes = set(Programme.objects.filter(registry=registry).values_list("code", flat=True))
    for code in terms.programmes:
        if code not in known_codes:
            raise ProgrammeUnknown(field="programmes", programme=code)


def _check_share(
    value: Decimal, field: str, *, least: Decimal = Decimal(0), most: Decimal = Decimal(1)
) -> None:
    check_range(value, least=least, most=most, field=field)
    if value != round_money(value, 4):
        raise TooManyDecimals(field=field, places=4)


def _check_tonnes(value: Decimal | None, field: str) -> None:
    if value is None:
        return
    check_range(value, least=Decimal(0), most=_MOST_TONNES, field=field)
    if value != round_money(value, 6):
        raise TooManyDecimals(field=field, places=6)
