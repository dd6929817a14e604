"""Shares that somebody published: carbon-free shares of grids, and the target of data centres."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.db import transaction

from marketplace.domain.errors import NotPermitted, RuleBroken, gettext_noop
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from settlement.models import FactorLevel, FactorValue, GreenReference, ReferenceKind

_SHIPPED = Path(__file__).resolve().parents[2] / "reference" / "green_references.csv"


class ReferenceRefused(RuleBroken):
    """A share cannot be stated like this."""

    code = "green_reference_refused"
    message = gettext_noop("The share cannot be stated like this.")


def load_green_references() -> int:
    """Bring in the shares that ship with the software; return how many shares there are."""
    with _SHIPPED.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            GreenReference.objects.get_or_create(
                kind=row["kind"],
                area_en=row["area_en"],
                valid_from=date.fromisoformat(row["valid_from"]),
                defaults={
                    "share": Decimal(row["share"]),
                    "source": row["source"],
                    "note": row["note"],
                },
            )
    return GreenReference.objects.count()


@transaction.atomic
def state_reference(
    *,
    actor: Actor,
    kind: str,
    valid_from: date,
    share: Decimal,
    source: str,
    area: str = "",
    note: str = "",
) -> GreenReference:
    """Enter a published share with its source; a later day supersedes it, nothing changes it.

    Args:
        actor: an operator.
        kind: a `ReferenceKind`.
        valid_from: first day it holds for, market time.
        share: 0 to 1.
        source: the publication.
        area: English name of the province for the share of a grid, nothing for the target.
        note: anything a reader should know.

    Raises:
        NotPermitted: the actor is no operator.
        ReferenceRefused: the field that makes no sense is named.
    """
    if not actor.is_operator:
        raise NotPermitted
    field = _fault(kind, area, share, source, valid_from)
    if field:
        raise ReferenceRefused(field=field)
    made = GreenReference.objects.create(
        kind=kind,
        area_en=area,
        valid_from=valid_from,
        share=share,
        source=source.strip(),
        note=note[:200],
        recorded_by=actor.user,
    )
    record_audit(
        action="green_reference.stated",
        subject=made,
        actor=actor.user,
        after={"kind": kind, "area": area, "share": str(share), "source": made.source},
    )
    return made


def _fault(kind: str, area: str, share: Decimal, source: str, valid_from: date) -> str:
    """Return the field that is wrong, or nothing."""
    known = GreenReference.objects.filter(kind=kind, area_en=area, valid_from=valid_from)
    if kind not in ReferenceKind.values:
        return "kind"
    if not _is_area(kind, area):
        return "area"
    if not 0 <= share <= 1:
        return "share"
    if not source.strip():
        return "source"
    return "valid_from" if known.exists() else ""


def _is_area(kind: str, area: str) -> bool:
    if kind == ReferenceKind.TARGET:
        return not area
    provinces = FactorValue.objects.filter(level=FactorLevel.PROVINCE, area_en=area)
    return bool(area) and provinces.exists()
