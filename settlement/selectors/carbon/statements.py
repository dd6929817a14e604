"""Carbon statements for their readers: lists, one statement with its hours, the market's sums."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from marketplace.domain.errors import NotFound
from marketplace.domain.money import round_quotient
from marketplace.models import Hub
from marketplace.permissions import Actor
from settlement.domain.carbon.supply import SECONDS
from settlement.models import (
    Delivery,
    EmissionStatement,
    EmissionStatementLine,
    MeterReading,
    StatementSubject,
)

_E4 = 10_000
_SHARE_PLACES = 4


@dataclass(frozen=True)
class HourRow:
    """One interval of a delivery as its statement read it."""

    starts_at: datetime
    seconds: int
    units: Decimal
    pue: Decimal
    is_metered: bool
    it_wh: int
    facility_wh: int
    location_g: Decimal


@dataclass(frozen=True)
class Footprint:
    """A month of the market: what all buyers' current statements state together."""

    month: date
    buyers: int
    facility_wh: int
    matched_wh: int
    location_based_t: Decimal
    market_based_t: Decimal

    @property
    def facility_kwh(self) -> Decimal:
        """The energy in kWh."""
        return Decimal(self.facility_wh) / 1000

    @property
    def green_share(self) -> Decimal | None:
        """The matched share of the energy."""
        return share_of(self.matched_wh, self.facility_wh)


def share_of(part: int, whole: int) -> Decimal | None:
    """Return a share with 4 decimals; nothing of nothing."""
    return round_quotient(Decimal(part), whole, _SHARE_PLACES) if whole else None


def statements_for(actor: Actor) -> QuerySet[EmissionStatement]:
    """Return the current statements that an actor may read, the newest month first.

    Finance, auditors and operators of the market read all; members read those of their
    organisation.
    """
    rows = EmissionStatement.objects.filter(superseded_by__isnull=True).select_related(
        "organisation", "pool__hub", "order"
    )
    if not reads_all(actor):
        if actor.organisation is None or not actor.can_see_own_money:
            return rows.none()
        rows = rows.filter(organisation=actor.organisation)
    return rows.defer("inputs").order_by("-month", "subject", "organisation__code", "pk")


def reads_all(actor: Actor) -> bool:
    """Tell whether the actor reads every member's statements."""
    return actor.is_operator or actor.is_platform_finance or actor.is_platform_auditor


def statement_for(actor: Actor, public_id: UUID) -> EmissionStatement:
    """Return a statement of any version.

    Raises:
        NotFound: there is none, or it is not the actor's to read.
    """
    rows = EmissionStatement.objects.select_related(
        "organisation", "pool__hub", "order", "factor_set", "supersedes"
    )
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    own = actor.organisation is not None and found.organisation_id == actor.organisation.pk
    if not reads_all(actor) and not (own and actor.can_see_own_money):
        raise NotFound
    return found


def versions_of(statement: EmissionStatement) -> QuerySet[EmissionStatement]:
    """Return all versions of the same subject and month, the newest first."""
    rows = EmissionStatement.objects.filter(
        subject=statement.subject,
        organisation=statement.organisation_id,
        order=statement.order_id,
        pool=statement.pool_id,
        month=statement.month,
    )
    return rows.select_related("closing", "issued_by").defer("inputs").order_by("-version")


def lines_of_statement(statement: EmissionStatement) -> QuerySet[EmissionStatementLine]:
    """Return the deliveries of a statement, the largest first."""
    rows = statement.lines.select_related("delivery__allocation__product", "hub")
    return rows.order_by("-facility_wh", "pk")


def certificates_of(statement: EmissionStatement) -> list[dict[str, Any]]:
    """Return the retired certificates that the statement could draw on, as it read them."""
    rows: list[dict[str, Any]] = json.loads(statement.inputs)["matching"]["certificates"]
    return rows


def hours_of(statement: EmissionStatement, delivery: Delivery) -> list[HourRow]:
    """Return the intervals of one delivery as the statement read them.

    Raises:
        NotFound: the delivery is no part of the statement.
    """
    found = hours_by_delivery(statement).get(str(delivery.public_id))
    if found is None:
        raise NotFound
    return found


def hours_by_delivery(statement: EmissionStatement) -> dict[str, list[HourRow]]:
    """Return the intervals of every delivery, by its public id."""
    return {
        row["id"]: [_hour(cells, row["watts"], row["factor"]) for cells in row["intervals"]]
        for row in json.loads(statement.inputs)["deliveries"]
    }


def load_by_hour(statement: EmissionStatement) -> dict[int, int]:
    """Return facility energy by the start of the full hour, seconds since 1970."""
    load: dict[int, int] = {}
    for rows in hours_by_delivery(statement).values():
        for row in rows:
            start = int(row.starts_at.timestamp())
            hour = start - start % SECONDS
            load[hour] = load.get(hour, 0) + row.facility_wh
    return load


def _hour(row: Sequence[Any], centiwatts: int, factor_e4: int) -> HourRow:
    start, seconds, milli, metered, pue_e4 = row
    hours = round_quotient(Decimal(milli * seconds * centiwatts), 1000 * 100 * 3600, 0)
    it_wh = int(hours) if metered is None else metered
    facility = int(round_quotient(Decimal(it_wh * pue_e4), _E4, 0))
    return HourRow(
        starts_at=datetime.fromtimestamp(start, UTC),
        seconds=seconds,
        units=Decimal(milli).scaleb(-3),
        pue=Decimal(pue_e4).scaleb(-4),
        is_metered=metered is not None,
        it_wh=it_wh,
        facility_wh=facility,
        location_g=Decimal(facility * factor_e4).scaleb(-4),
    )


def readings_of(delivery: Delivery) -> QuerySet[MeterReading]:
    """Return every reading of a delivery, revisions together."""
    return delivery.readings.order_by("starts_at", "ends_at", "revision")


def market_footprint(limit: int = 12) -> list[Footprint]:
    """Return the market's months, the newest first: sums over the buyers' current statements.

    Every delivery has one buyer, so no energy is counted twice.
    """
    rows = (
        EmissionStatement.objects.filter(superseded_by__isnull=True, subject=StatementSubject.BUYER)
        .values("month")
        .annotate(
            buyers=Count("pk"),
            facility=Sum("facility_wh"),
            matched=Sum("matched_wh"),
            location=Sum("location_based_t"),
            market=Sum("market_based_t"),
        )
        .order_by("-month")[:limit]
    )
    return [
        Footprint(
            month=row["month"],
            buyers=row["buyers"],
            facility_wh=int(row["facility"]),
            matched_wh=int(row["matched"]),
            location_based_t=row["location"],
            market_based_t=row["market"],
        )
        for row in rows
    ]


def hub_footprint(month: date) -> list[dict[str, Any]]:
    """Return what was delivered at each hub in a month, as the buyers' statements state it.

    The PUE is the one of the energy delivered; emissions are location-based.
    """
    rows = (
        EmissionStatementLine.objects.filter(
            statement__subject=StatementSubject.BUYER,
            statement__month=month,
            statement__superseded_by__isnull=True,
        )
        .values("hub_id")
        .annotate(it=Sum("it_wh"), facility=Sum("facility_wh"), grams=Sum("location_g"))
        .order_by("-facility", "hub_id")
    )
    hubs = Hub.objects.in_bulk([row["hub_id"] for row in rows])
    return [
        {
            "hub": hubs[row["hub_id"]],
            "facility_kwh": Decimal(row["facility"]) / 1000,
            "pue": round_quotient(row["facility"], int(row["it"]), 4) if row["it"] else None,
            "location_t": row["grams"] / 1_000_000,
        }
        for row in rows
    ]
