"""Properties of recognition and netting over random cases, on the real database, and its sweep."""

from datetime import date
from decimal import Decimal
from itertools import count, permutations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.domain.errors import RuleBroken
from settlement.models import (
    CapUsage,
    NettingState,
    Recognition,
    RecognitionEvent,
    SerialRange,
)
from settlement.selectors.trial_balance import differences_by_asset, trial_balance
from settlement.services.invariants import INVARIANTS, recognition
from settlement.services.invariants.registry import check_invariant
from settlement.services.recognition.netting import (
    compute_cycle,
    newest_computation,
    settle_cycle,
)
from settlement.services.recognition.netting_entry import (
    CycleDraft,
    ObligationDraft,
    add_obligation,
    freeze_cycle,
    open_cycle,
)
from settlement.services.recognition.recognising import recognise
from tests.factories.ledger import make_member
from tests.factories.recognition import Region, issue, make_registry, state, terms

pytestmark = pytest.mark.django_db
FEW = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TONNES = st.decimals("0.000001", "60", places=6, allow_nan=False, allow_infinity=False)
SHARE = st.decimals("0.0001", "0.5", places=4, allow_nan=False, allow_infinity=False)
_numbers = count(1)


class _Undo(Exception):
    """Ends an example and takes everything back."""


def _sweep() -> list[str]:
    found = [check_invariant(invariant) for invariant in recognition.CHECKS]
    return [outcome.invariant.code for outcome in found if outcome.finding_count]


def _books_balance() -> bool:
    rows = trial_balance(date(2026, 1, 1), date(2026, 12, 31))
    return set(differences_by_asset(rows).values()) == {Decimal(0)}


@FEW
@given(
    needs=st.lists(TONNES, min_size=1, max_size=3),
    blocks=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    cap=TONNES,
    discount=SHARE,
    share=st.none() | SHARE,
)
def test_caps_needs_and_units_agree_after_any_recognitions(needs, blocks, cap, discount, share):
    """INV-03, INV-05, INV-06, INV-07, INV-08, INV-18: on PostgreSQL, any recognitions."""
    try:
        with transaction.atomic():
            region = Region(centre=make_member(funds="0"))
            draft = terms(discount_d=discount, absolute_cap_t=cap, relative_cap=share)
            region.agree(f"AGR-{next(_numbers)}", "PHCER", draft)
            for size in blocks:
                issue(region.centre, "PHCER", vintage=2023, first=1, last=size)
            for month, need in enumerate(needs, 1):
                _try(region, need, month)
            _check(cap, Decimal(1) - discount)
            raise _Undo
    except _Undo:
        pass


def _try(region, need, month):
    statement = state(region.centre, str(need), month=date(2026, month, 1))
    try:
        recognise(
            actor=region.person, statement_public_id=statement.public_id, idempotency_key=str(month)
        )
    except RuleBroken:
        assert not Recognition.objects.filter(statement=statement).exists()


def _check(cap, per_credit):
    for made in Recognition.objects.all():
        assert made.applied_t <= made.need_t
        assert made.applied_t + made.residual_t == made.need_t
        assert 0 <= made.over_coverage_t < per_credit
    used = CapUsage.objects.filter(organisation=None).values_list("used_t", flat=True)
    assert sum(used, Decimal(0)) <= cap
    dead = sum(row.units for row in SerialRange.objects.filter(state="retired"))
    assert dead == sum(RecognitionEvent.objects.values_list("credits", flat=True))
    assert _sweep() == []
    assert _books_balance()


@FEW
@given(
    owed=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), TONNES).filter(lambda o: o[0] != o[1]),
        min_size=1,
        max_size=8,
    ),
    price=st.decimals("0.01", "200", places=2, allow_nan=False, allow_infinity=False),
)
def test_any_cycle_sums_to_zero_and_settles_into_balanced_books(owed, price):
    """INV-15, INV-16, INV-17, INV-18, INV-20: any cycle nets and settles."""
    try:
        with transaction.atomic():
            region = Region(centre=make_member(funds="0"))
            parties = [make_member(funds="100000") for _ in range(4)]
            make_registry("CCER")
            for party in parties:
                issue(party, "CCER", vintage=2024, first=1, last=500)
            first = _computed(region, parties, owed, price)
            second = _computed(region, parties, owed[::-1], price)
            one, two = newest_computation(first), newest_computation(second)
            assert one.input_sha256 == two.input_sha256
            assert one.net_t <= one.gross_t
            settled = settle_cycle(actor=region.second, cycle_public_id=first.public_id)
            assert settled.state == NettingState.SETTLED
            _check_positions(one, price)
            assert _sweep() == []
            assert _books_balance()
            raise _Undo
    except _Undo:
        pass


def _computed(region, parties, owed, price):
    cycle = open_cycle(
        actor=region.first,
        draft=CycleDraft(
            f"N-{next(_numbers)}", "CCER", "reduction", 2024, date(2026, 3, 31), price
        ),
    )
    for payer, payee, tonnes in owed:
        reference = f"{tonnes}-{next(_numbers)}"
        draft = ObligationDraft(parties[payer].code, parties[payee].code, tonnes, reference)
        add_obligation(actor=region.first, cycle_public_id=cycle.public_id, draft=draft)
    freeze_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    compute_cycle(actor=region.first, cycle_public_id=cycle.public_id)
    cycle.refresh_from_db()
    return cycle


def _check_positions(computation, price):
    cash = {row.organisation_id: row.amount_cny for row in computation.cash.all()}
    rows = list(computation.positions.all())
    assert sum(row.net_t for row in rows) == 0
    assert sum(row.delivers_units for row in rows) == sum(row.receives_units for row in rows)
    assert sum(cash.values()) + computation.rounding_cny == 0
    for row in rows:  # INV-16, within half a fen
        settled = row.receives_units - row.delivers_units
        open_cny = (row.net_t - settled) * price
        assert abs(open_cny - cash.get(row.organisation_id, Decimal(0))) <= Decimal("0.005")


def test_a_chain_of_agreements_is_never_used():
    """INV-22: whatever agreements stand between two schemes, only the direct one counts."""
    region = Region()
    region.agree("AGR-C", "CCER")
    issue(region.centre, "PHCER", vintage=2023, first=1, last=10)
    statement = state(region.centre, "5")
    for _order in permutations(range(2)):
        with pytest.raises(RuleBroken) as refusal, transaction.atomic():
            recognise(
                actor=region.person, statement_public_id=statement.public_id, idempotency_key="k"
            )
        assert refusal.value.code == "NO_AGREEMENT"


def test_the_sweep_knows_the_rules_of_recognition():
    assert {check.code for check in recognition.CHECKS} <= {check.code for check in INVARIANTS}
    assert _sweep() == []
