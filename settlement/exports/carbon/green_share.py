"""The monitoring report of green shares: hubs and data centres against the target of the year."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.models import ResourcePool
from marketplace.permissions import Actor
from settlement.exports.kinds import ReportKind, keeps_books
from settlement.exports.parameters import AS_OF, MEMBER, Values
from settlement.exports.report import Cell, Column, ColumnKind, Report
from settlement.exports.words import hub_words
from settlement.selectors.carbon.scores import (
    GreenFigures,
    HubFigures,
    PoolFigures,
    hub_figures,
    pool_figures,
)

_LEVELS = {"hub": _("Hub"), "data_centre": _("Data centre")}
_SPANS = {
    "month": pgettext_lazy("span of a report", "Month"),
    "year_to_date": pgettext_lazy("span of a report", "Year to date"),
}


def _energy(name: str, label: object) -> Column:
    return Column(name, label, ColumnKind.DECIMAL, 6, page_places=3)  # type: ignore[arg-type]


def _share(name: str, label: object) -> Column:
    return Column(name, label, ColumnKind.DECIMAL, 4)  # type: ignore[arg-type]


COLUMNS = (
    Column("level", _("Level"), words=lambda word: str(_LEVELS[word])),
    Column("hub", _("Hub"), words=hub_words),
    Column("place", _("Data centre")),
    Column("name_zh", _("Chinese name"), language="zh-hans"),
    Column("name_en", _("English name"), language="en"),
    Column("member", _("Member code"), link="member"),
    Column("span", pgettext_lazy("span of a report", "Span"), words=lambda w: str(_SPANS[w])),
    Column("until", _("Up to month"), ColumnKind.DATE),
    _energy("facility_mwh", _("Facility energy, MWh")),
    _energy("certificates_mwh", _("Certificates retired, MWh")),
    _energy("direct_mwh", _("Direct green supply, MWh")),
    _energy("own_mwh", _("Own generation, MWh")),
    _energy("green_mwh", _("Green energy, MWh")),
    _share("share", _("Green share")),
    _share("target", _("Target of the year")),
    _energy("gap_mwh", _("Gap to the target, MWh")),
    Column("gap_certificates", _("Gap in certificates"), ColumnKind.INTEGER),
    _share("hourly_score", _("24/7 score")),
    _share("volume_share", _("Share by volume")),
    Column("grid_share", _("Grid share counted"), ColumnKind.DECIMAL, 4, is_detail=True),
    Column("grid_source", _("Source of the grid share"), is_detail=True),
    Column("target_source", _("Source of the target"), is_detail=True),
    Column("assessment", _("Assessment"), is_detail=True),
)


def build(values: Values) -> Report:
    """Return hubs, then data centres, each with the month of a day and the year up to it."""
    month = values.as_of.replace(day=1)
    pools = pool_figures(month=month, organisation=values.member)
    hubs = _own_hubs(pools) if values.member is not None else hub_figures(month)
    rows = [line for hub in hubs for line in _lines("hub", hub.hub.code, None, hub, month)]
    for own in pools:
        rows += _lines("data_centre", own.pool.hub.code, own.pool, own, month)
    return Report(
        name="green-share",
        title=KIND.title,
        columns=COLUMNS,
        rows=rows,
        parameters=dict(values.raw),
        notes=_NOTES,
    )


_NOTES = (
    _(
        "Monitored, not assessed: new data centres at the national hubs are to use 80 % green"
        " energy (NDRC and NEA, 2025 No. 669); in 2025 the share is monitored and not yet"
        " assessed, and it is counted mainly by green certificates."
    ),
    _(
        "Facility energy is that of compute delivered through this market, as the current carbon"
        " statements of data centres state it; energy sold elsewhere is not in it."
    ),
    _(
        "A contract counts by its retired certificates only; the 24/7 score counts its hours. Own"
        " and direct supply count in the hour they were metered in, stored energy when discharged."
    ),
    _("A hub's figures are the sums of its data centres: do not add the two levels up."),
)


def _own_hubs(pools: Iterable[PoolFigures]) -> list[HubFigures]:
    """Return a member's part of each hub."""
    by_hub: dict[str, list[PoolFigures]] = {}
    for row in pools:
        by_hub.setdefault(row.pool.hub.code, []).append(row)
    return [
        HubFigures(
            rows[0].pool.hub,
            GreenFigures.together(row.month for row in rows),
            GreenFigures.together(row.year for row in rows),
        )
        for _code, rows in sorted(by_hub.items())
    ]


def _lines(
    level: str,
    hub: str,
    pool: ResourcePool | None,
    row: HubFigures | PoolFigures,
    month: date,
) -> list[list[Cell]]:
    own = ["", "", "", ""]
    if pool is not None:
        name_en = pool.name_en or pool.name_zh
        own = [pool.identifier, pool.name_zh, name_en, pool.organisation.code]
    head: list[Cell] = [level, hub, *own]
    return [
        [*head, "month", month, *_cells(row.month)],
        [*head, "year_to_date", month, *_cells(row.year)],
    ]


def _cells(figures: GreenFigures) -> list[Cell]:
    gap = figures.gap
    return [
        _mwh(figures.facility_wh),
        _mwh(figures.certified_wh),
        _mwh(figures.direct_wh),
        _mwh(figures.own_wh),
        _mwh(figures.matched_wh),
        gap.share,
        figures.target.share if figures.target.source else None,
        _mwh(gap.gap_wh),
        gap.certificates,
        figures.score,
        figures.volume,
        figures.grid_share,
        figures.grid_source,
        figures.target.source,
        "monitored_not_assessed",
    ]


def _mwh(wh: int) -> Decimal:
    return Decimal(wh).scaleb(-6)


def _reads(actor: Actor) -> bool:
    organisation = actor.organisation
    own = organisation is not None and not organisation.is_platform and actor.can_sell
    return keeps_books(actor) or actor.is_operator or (own and actor.can_see_own_money)


KIND = ReportKind(
    code="green-share",
    title=_("Green share monitoring"),
    description=_(
        "Green energy by kind and share of hubs and data centres, against the target of the year."
    ),
    permission=_reads,
    parameters=(AS_OF, MEMBER),
    build=build,
    axis=_("by month of delivery"),
    ties_to=_("The current carbon statements of data centres; no money."),
    leads_to=_("Statement, delivery, readings"),
    is_operators_too=True,
)
