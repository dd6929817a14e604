"""Who may move units: the holder's people, and the platform's for a party of a netting cycle."""

from marketplace.domain.errors import NotAdmitted, NotFound, NotPermitted
from marketplace.models import Organisation, OrganisationState, Role
from marketplace.permissions import Actor


def may_move_units(actor: Actor) -> bool:
    """Tell whether the actor may move units of its organisation."""
    return actor.is_trading_member and actor.has(Role.FINANCE, Role.SUPPLIER, Role.BUYER)


def may_keep_registry(actor: Actor) -> bool:
    """Tell whether the actor may take registry files over and freeze or invalidate units."""
    return actor.is_operator or actor.is_platform_finance


def holder_for(actor: Actor, on_behalf_of: Organisation | None = None) -> Organisation:
    """Return whose units the actor moves: its own organisation's, or a member's on its behalf.

    Raises:
        NotPermitted: the person's role does not allow it.
        NotAdmitted: the organisation is not admitted.
    """
    if on_behalf_of is not None:
        require_keeper(actor)
        return on_behalf_of
    if actor.organisation is None or actor.organisation.is_platform:
        raise NotPermitted
    if not actor.is_trading_member:
        raise NotAdmitted
    if not may_move_units(actor):
        raise NotPermitted
    return actor.organisation


def require_keeper(actor: Actor) -> Organisation:
    """Return the platform when the actor keeps its registries; raises NotPermitted."""
    if not may_keep_registry(actor) or actor.organisation is None:
        raise NotPermitted
    return actor.organisation


def admitted(organisation: Organisation | None, *, field: str) -> Organisation:
    """Return an organisation that may hold units; raises NotFound with the field."""
    if (
        organisation is None
        or organisation.is_platform
        or organisation.state != OrganisationState.APPROVED
    ):
        raise NotFound(field=field)
    return organisation
