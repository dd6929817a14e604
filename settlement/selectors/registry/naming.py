"""From what people name to what the services take: batches, members, reservations by public id."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from marketplace.domain.errors import NotFound
from marketplace.models import Organisation, OrganisationState
from settlement.domain.registry.blocks import UnitBlock
from settlement.models import Registry, Reservation, UnitBatch


def blocks_named(ranges: Iterable[Mapping[str, Any]]) -> list[UnitBlock]:
    """Return blocks for ranges with `batch` (public id), `first_serial` and `last_serial`.

    Raises:
        NotFound: a batch is unknown.
    """
    asked = list(ranges)
    wanted = {each["batch"] for each in asked}
    found = dict(UnitBatch.objects.filter(public_id__in=wanted).values_list("public_id", "pk"))
    if len(found) != len(wanted):
        raise NotFound(field="ranges")
    return [
        UnitBlock(found[each["batch"]], each["first_serial"], each["last_serial"]) for each in asked
    ]


def member_named(code: str, *, field: str) -> Organisation:
    """Return an admitted member by its code; raises NotFound with the field."""
    found = Organisation.objects.filter(
        code=code, state=OrganisationState.APPROVED, is_platform=False
    ).first()
    if found is None:
        raise NotFound(field=field)
    return found


def beneficiary_named(text: str) -> Organisation | str:
    """Return the member whose code this is, or the text as somebody else's name."""
    found = Organisation.objects.filter(
        code=text, state=OrganisationState.APPROVED, is_platform=False
    ).first()
    return found or text


def reservation_named(public_id: UUID | None, owner: Organisation | None) -> Reservation | None:
    """Return a member's reservation; raises NotFound when it is not the member's."""
    if public_id is None:
        return None
    rows = Reservation.objects.select_related("registry", "organisation")
    found = rows.filter(public_id=public_id, organisation=owner).first()
    if found is None:
        raise NotFound(field="reservation")
    return found


def registry_named(code: str) -> Registry:
    """Return a registry by its code; raises NotFound."""
    found = Registry.objects.select_related("asset").filter(code=code).first()
    if found is None:
        raise NotFound(field="registry")
    return found


def batch_named(public_id: UUID) -> UnitBatch:
    """Return a batch by its public id; raises NotFound."""
    found = UnitBatch.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound(field="batch")
    return found
