"""Netting cycles that do not take the step asked for."""

from collections.abc import Sequence
from typing import Any

from tests.api.callers import browser_of
from tests.api.refusing import Ask, reaches
from tests.factories.ledger import make_member
from tests.factories.recognition import Region, issue, make_registry, state

CYCLE = {
    "code": "N-1",
    "registry": "CCER",
    "instrument_type": "reduction",
    "vintage_year": 2024,
    "cut_off_on": "2026-03-31",
    "reference_price_cny": "78.60",
}


class Desk:
    """The platform's two persons, two members of whom the first has credits, an open cycle."""

    def __init__(self) -> None:
        self.region = Region()
        make_registry("CCER")
        self.payer, self.payee = make_member(funds="1000"), make_member(funds="1000")
        issue(self.payer, "CCER", vintage=2024, first=1, last=20)
        self.first, self.second = browser_of(self.region.first), browser_of(self.region.second)
        made = self.opening().send("en")
        assert made.status_code == 201, made.json()
        self.cycle = made.json()["id"]

    def opening(self, **changes: Any) -> Ask:
        """Return the request to open a cycle."""
        return Ask(self.first, "netting-cycles/", {**CYCLE, **changes})

    def owing(self, quantity_t: str = "2.5", **changes: Any) -> Ask:
        """Return the request to add what the first member owes the second."""
        body = {
            "payer": self.payer.code,
            "payee": self.payee.code,
            "quantity_t": quantity_t,
            "reference": "r1",
            **changes,
        }
        return Ask(self.first, f"netting-cycles/{self.cycle}/obligations/", body)

    def step(self, name: str) -> Ask:
        """Return the request for a step of the cycle; the second person settles."""
        who = self.second if name == "settle" else self.first
        return Ask(who, f"netting-cycles/{self.cycle}/{name}/")

    def taken(self, *names: str) -> "Desk":
        """Add an obligation and take steps."""
        done = [ask.send("en") for ask in self._asks(names)]
        assert all(answer.status_code in (200, 201) for answer in done), done[-1].json()
        return self

    def _asks(self, names: Sequence[str]) -> list[Ask]:
        return [self.owing(), *map(self.step, names)]


@reaches("cycle_code_taken")
def a_code_that_another_cycle_has() -> Ask:
    return Desk().opening()


@reaches("INSTRUMENT_NOT_ELIGIBLE")
def a_cycle_of_certificates() -> Ask:
    return Desk().opening(code="N-2", instrument_type="energy_attribute")


@reaches("too_many_decimals")
def a_price_of_five_decimals() -> Ask:
    return Desk().opening(code="N-2", reference_price_cny="78.60001")


@reaches("cycle_frozen")
def an_obligation_that_comes_late() -> Ask:
    return Desk().taken("freeze").owing(reference="r2")


@reaches("obligation_taken")
def another_quantity_under_the_same_reference() -> Ask:
    return Desk().taken().owing("3")


@reaches("same_party")
def owed_to_oneself() -> Ask:
    desk = Desk()
    return desk.owing(payee=desk.payer.code)


@reaches("statement_exceeded")
def more_than_the_statement_carries() -> Ask:
    desk = Desk()
    return desk.owing(statement=str(state(desk.payer, "2").public_id))


@reaches("STATEMENT_CLOSED")
def behind_it_a_statement_that_was_replaced() -> Ask:
    desk = Desk()
    old = state(desk.payer, "5")
    state(desk.payer, "6", supersedes=old)
    return desk.owing(statement=str(old.public_id))


@reaches("nothing_owed")
def frozen_without_obligations() -> Ask:
    return Desk().step("freeze")


@reaches("cycle_not_frozen")
def computed_while_open() -> Ask:
    return Desk().taken().step("compute")


@reaches("cycle_not_computed")
def settled_before_it_is_computed() -> Ask:
    return Desk().taken("freeze").step("settle")


@reaches("cycle_settled")
def a_party_that_fails_too_late() -> Ask:
    desk = Desk().taken("freeze", "compute", "settle")
    body = {"party": desk.payer.code, "reason": "late"}
    return Ask(desk.first, f"netting-cycles/{desk.cycle}/failures/", body)
