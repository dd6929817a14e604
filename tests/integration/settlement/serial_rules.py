"""Asks the rules of serials of the sweep, without the rest of it."""

from settlement.services.invariants import units
from settlement.services.invariants.registry import check_invariant
from settlement.services.invariants.serials import CHECKS


def broken_rules() -> list[str]:
    """Return the codes of the rules of serials that are broken."""
    outcomes = [check_invariant(invariant) for invariant in (*CHECKS, *units.CHECKS)]
    return [f"{o.invariant.code} {o.sample}" for o in outcomes if o.finding_count]
