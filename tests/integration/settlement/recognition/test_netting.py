"""Netting cycles: the worked example, two persons, failing parties, and books that balance."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from marketplace.domain.errors import NotPermitted
from marketplace.models import Organisation
from settlement.models import (
    AccountBalance,
    CashAdjustment,
    DeliveryInstruction,
    JournalEntry,
    NettingCycle,
    NettingState,
    Obligation,
    SerialRange,
    UnitMovement,
)
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.funds_requests import SamePerson
from settlement.services.recognition.netting import (
    CycleSettled,
    NotFrozen,
    compute_cycle,
    fail_party,
    newest_computation,
    settle_cycle,
)
from settlement.services.recognition.netting_entry import (
    CycleDraft,
    CycleFrozen,
    NothingOwed,
    ObligationDraft,
    ObligationTaken,
    SameParty,
    StatementExceeded,
    add_obligation,
    freeze_cycle,
    open_cycle,
)
from settlement.services.recognition.netting_settlement import CASH_MISSING, UNITS_MISSING
from tests.factories.ledger import make_member
from tests.factories.recognition import Region, issue, make_registry, state

pytestmark = pytest.mark.django_db
EXAMPLE = tomllib.loads(
    (Path(__file__).parents[4] / "docs/explanation/carbon-examples.toml").read_text()
)["E6"]
PRICE = Decimal({row[0]: row[3] for row in EXAMPLE["facts"]}["price"])
OWED = [("A", "B", "12.4"), ("B", "C", "7.9"), ("C", "A", "3.15")]
OWED += [("A", "D", "5.25"), ("D", "B", "1.7"), ("C", "D", "2.05")]


@pytest.fixture
def region() -> Region:
    return Region()


@pytest.fixture
def centres(region) -> dict[str, Organisation]:
    """Four data centres; A holds enough credits for what it will owe."""
    found = {code: make_member(code=code, funds="1000") for code in "ABCD"}
    issue(found["A"], "CCER", vintage=2024, first=1, last=20)
    return found


def opened(region, code="N-1") -> NettingCycle:
    make_registry("CCER")
    return open_cycle(
        actor=region.first,
        draft=CycleDraft(code, "CCER", "reduction", 2024, date(2026, 3, 31), PRICE),
    )


def owe(region, cycle, payer, payee, tonnes, reference="") -> Obligation:
    draft = ObligationDraft(payer, payee, Decimal(tonnes), reference or f"{payer}{payee}")
    return add_obligation(actor=region.first, cycle_public_id=cycle.public_id, draft=draft)


def computed(region, owed=OWED) -> NettingCycle:
    cycle = opened(region)
    for payer, payee, tonnes in owed:
        owe(region, cycle, payer, payee, tonnes)
    freeze_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    compute_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    return cycle


def settle(region, cycle) -> NettingCycle:
    return settle_cycle(actor=region.second, cycle_public_id=cycle.public_id)


def books_balance() -> bool:
    rows = trial_balance(date(2026, 1, 1), date(2026, 12, 31))
    return set(differences_by_asset(rows).values()) == {Decimal(0)}


def held_by(organisation) -> int:
    return sum(r.units for r in SerialRange.objects.filter(organisation=organisation, state="held"))


def test_four_data_centres_net_as_the_worked_example_says(region, centres):
    cycle = computed(region)
    computation = newest_computation(cycle)
    positions = {row.organisation.code: row for row in computation.positions.all()}
    cash = {row.organisation.code: row.amount_cny for row in computation.cash.all()}

    assert (computation.gross_t, computation.net_t) == (Decimal("32.45"), Decimal("14.5"))
    assert {code: row.net_t for code, row in positions.items()} == {
        "A": Decimal("-14.5"),
        "B": Decimal("6.2"),
        "C": Decimal("2.7"),
        "D": Decimal("5.6"),
    }
    assert [positions[code].receives_units for code in "BCD"] == [6, 3, 5]
    assert positions["A"].delivers_units == 14
    assert cash == {
        "A": Decimal("-39.30"),
        "B": Decimal("15.72"),
        "C": Decimal("-23.58"),
        "D": Decimal("47.16"),
    }
    assert computation.rounding_cny == 0


def test_settling_moves_units_and_cash_in_one_ledger(region, centres):
    cycle = settle(region, computed(region))

    assert cycle.state == NettingState.SETTLED
    assert [held_by(centres[code]) for code in "ABCD"] == [6, 6, 3, 5]
    funds = {
        row.account.organisation.code: row.credit - row.debit
        for row in AccountBalance.objects.filter(account__organisation__in=centres.values())
    }
    assert [funds[code] for code in "ABCD"] == [
        Decimal("960.70"),
        Decimal("1015.72"),
        Decimal("976.42"),
        Decimal("1047.16"),
    ]
    assert books_balance()


def test_settling_twice_changes_nothing(region, centres):
    cycle = computed(region)
    settle(region, cycle)
    before = (JournalEntry.objects.count(), UnitMovement.objects.count())

    settle(region, cycle)

    assert (JournalEntry.objects.count(), UnitMovement.objects.count()) == before


def test_who_computed_does_not_settle(region, centres):
    cycle = computed(region)

    with pytest.raises(SamePerson):
        settle_cycle(actor=region.first, cycle_public_id=cycle.public_id)


def test_a_process_that_dies_on_the_way_leaves_nothing(region, centres, monkeypatch):
    cycle = computed(region)

    def die(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("settlement.services.recognition.netting_settlement.post_entry", die)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        settle(region, cycle)
    monkeypatch.undo()

    assert held_by(centres["A"]) == 20
    assert settle(region, cycle).state == NettingState.SETTLED
    assert held_by(centres["A"]) == 6


def test_a_debtor_without_units_leaves_and_the_rest_is_computed_anew(region, centres):
    cycle = computed(region, [("A", "B", "30"), ("C", "D", "2.5"), ("D", "B", "1")])
    issue(centres["C"], "CCER", vintage=2024, first=1, last=5)

    waiting = settle(region, cycle)

    assert waiting.state == NettingState.COMPUTED
    assert {f.organisation.code: f.reason for f in cycle.failures.all()} == {"A": UNITS_MISSING}
    newest = newest_computation(cycle)
    assert newest.number == 2
    assert {row.organisation.code: row.net_t for row in newest.positions.all()} == {
        "B": Decimal(1),
        "C": Decimal("-2.5"),
        "D": Decimal("1.5"),
    }
    with pytest.raises(SamePerson):  # who triggered the new computation needs another one again
        settle(region, cycle)
    settled = settle_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    assert settled.state == NettingState.SETTLED
    assert [held_by(centres[code]) for code in "ABCD"] == [20, 1, 3, 1]
    assert books_balance()


def test_a_party_without_cash_leaves_too(region, centres):
    poor = make_member(code="E", funds="0")
    issue(poor, "CCER", vintage=2024, first=1, last=5)
    cycle = computed(region, [("E", "B", "1.5"), ("A", "B", "2")])

    settle(region, cycle)

    assert {f.organisation: f.reason for f in cycle.failures.all()} == {poor: CASH_MISSING}


def test_a_party_can_be_taken_out_by_hand(region, centres):
    cycle = computed(region)

    again = fail_party(
        actor=region.first, cycle_public_id=cycle.public_id, party_code="C", reason="insolvent"
    )

    assert again.gross_t == Decimal("19.35")
    settle(region, cycle)
    with pytest.raises(CycleSettled):
        fail_party(
            actor=region.first, cycle_public_id=cycle.public_id, party_code="A", reason="late"
        )


def test_the_order_of_the_obligations_makes_no_difference(region, centres):
    first = newest_computation(computed(region))
    cycle = opened(region, "N-2")
    for payer, payee, tonnes in reversed(OWED):
        owe(region, cycle, payer, payee, tonnes)
    freeze_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    second = compute_cycle(actor=region.first, cycle_public_id=cycle.public_id)

    assert second.input_sha256 == first.input_sha256
    assert [(r.organisation_id, r.amount_cny) for r in second.cash.order_by("organisation_id")] == [
        (r.organisation_id, r.amount_cny) for r in first.cash.order_by("organisation_id")
    ]


def test_obligations_are_checked(region, centres):
    cycle = opened(region)
    owe(region, cycle, "A", "B", "1", "r1")

    assert owe(region, cycle, "A", "B", "1", "r1") == Obligation.objects.get()
    with pytest.raises(ObligationTaken):
        owe(region, cycle, "A", "B", "2", "r1")
    with pytest.raises(SameParty):
        owe(region, cycle, "A", "A", "1")


def test_a_statement_carries_no_more_than_it_states(region, centres):
    cycle = opened(region)
    statement = state(centres["A"], "3")
    draft = ObligationDraft("A", "B", Decimal("2.5"), "s1", statement.public_id)
    add_obligation(actor=region.first, cycle_public_id=cycle.public_id, draft=draft)

    more = ObligationDraft("A", "C", Decimal("0.6"), "s2", statement.public_id)
    with pytest.raises(StatementExceeded):
        add_obligation(actor=region.first, cycle_public_id=cycle.public_id, draft=more)


def test_a_cycle_goes_forward_only(region, centres):
    cycle = opened(region)
    with pytest.raises(NothingOwed):
        freeze_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    owe(region, cycle, "A", "B", "1")
    with pytest.raises(NotFrozen):
        compute_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    freeze_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    with pytest.raises(CycleFrozen):
        owe(region, cycle, "A", "C", "1")
    with pytest.raises(NotPermitted):
        compute_cycle(actor=region.person, cycle_public_id=cycle.public_id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement_nettingcycle SET state = 'open'",
        "DELETE FROM settlement_obligation",
        "UPDATE settlement_obligation SET quantity_t = 1",
        "UPDATE settlement_netposition SET net_t = 0",
        "UPDATE settlement_deliveryinstruction SET units = 1",
        "UPDATE settlement_cashadjustment SET amount_cny = 1",
        "TRUNCATE settlement_nettingcycle CASCADE",
    ],
)
def test_the_database_keeps_what_was_netted(region, centres, statement):
    computed(region)

    with pytest.raises(DatabaseError), transaction.atomic():
        _run(statement)


def test_the_database_takes_no_late_obligation(region, centres):
    cycle = computed(region)

    with pytest.raises(DatabaseError, match="no more obligations"), transaction.atomic():
        Obligation.objects.create(
            cycle=cycle, payer=centres["A"], payee=centres["B"], quantity_t=1, reference="late"
        )


def test_an_instruction_is_carried_out_once_in_the_database(region, centres):
    settle(region, computed(region))

    for model in (DeliveryInstruction, CashAdjustment):
        with pytest.raises(DatabaseError, match="carried out once"), transaction.atomic():
            model.objects.update(state="done")


def _run(statement: str) -> None:
    with transaction.get_connection().cursor() as cursor:
        cursor.execute(statement)
