"""Pure rules of disputes, vouchers and defaults: shares, budgets, the order of taking."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from settlement.domain.cases.parts import matching_part
from settlement.domain.cases.vouchers import (
    BilledPart,
    VoucherTerms,
    eligible_gross,
    redeemable,
    to_give_back,
)
from settlement.domain.cases.waterfall import Debt, penalty_of, plan_recovery, plan_takings

FEN = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)
SHARE = st.integers(1, 10_000).map(lambda n: Decimal(n) / 10_000)
DAYS = (date(2026, 1, 1), date(2026, 12, 31))


def _terms(share: Decimal, **changes: frozenset[str]) -> VoucherTerms:
    return VoucherTerms(share, *DAYS, **changes)


@given(whole=FEN, part=FEN, of=FEN)
def test_a_part_is_never_more_than_the_whole(whole: Decimal, part: Decimal, of: Decimal) -> None:
    got = matching_part(whole, part=part, of=of)

    assert 0 <= got <= whole
    assert matching_part(whole, part=of, of=of) == (whole if of else 0)


@given(vouchers=st.lists(FEN, max_size=8), bills=st.lists(FEN, max_size=8), share=SHARE)
def test_vouchers_keep_to_face_and_share(
    vouchers: list[Decimal], bills: list[Decimal], share: Decimal
) -> None:
    terms = _terms(share)
    left = list(vouchers)
    for bill in bills:
        paid = Decimal(0)
        for number, remaining in enumerate(left):
            amount = redeemable(
                eligible_cny=bill, already_cny=paid, remaining_cny=remaining, terms=terms
            )
            left[number] -= amount
            paid += amount
        assert paid <= bill * share

    assert all(each >= 0 for each in left)


@given(redeemed=FEN, notes=st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_the_last_credit_note_returns_the_rest(redeemed: Decimal, notes: list[int]) -> None:
    bill = Decimal(sum(notes)) / 100
    credited = returned = Decimal(0)
    for note in notes:
        credited += Decimal(note) / 100
        back = to_give_back(
            redeemed_cny=redeemed, bill_cny=bill, credited_cny=credited, returned_cny=returned
        )
        assert back >= 0
        returned += back

    assert returned == redeemed


def test_only_lines_that_fit_count() -> None:
    parts = [
        BilledPart(Decimal(10), "Shanghai", "AI"),
        BilledPart(Decimal(20), "Ningxia", "AI"),
        BilledPart(Decimal(40), "Shanghai", "GP"),
    ]

    assert eligible_gross(parts, terms=_terms(Decimal(1))) == 70
    regional = _terms(Decimal(1), regions=frozenset({"Shanghai"}))
    assert eligible_gross(parts, terms=regional) == 50
    both = _terms(Decimal(1), regions=frozenset({"Shanghai"}), resource_classes=frozenset({"AI"}))
    assert eligible_gross(parts, terms=both) == 10


@given(
    debts=st.lists(FEN.filter(bool), max_size=5),
    sources=st.fixed_dictionaries(
        dict.fromkeys(("free_funds", "deposit", "guarantee", "reserve"), FEN)
    ),
    paid=FEN,
)
def test_debts_are_covered_in_order_and_given_back_in_the_opposite(
    debts: list[Decimal], sources: dict[str, Decimal], paid: Decimal
) -> None:
    rows = [Debt(str(number), amount) for number, amount in enumerate(debts)]
    takings = plan_takings(rows, sources=sources)

    assert sum(each.amount_cny for each in takings) == sum(debts)
    taken: dict[str, Decimal] = {}
    for each in takings:
        taken[each.source] = taken.get(each.source, Decimal(0)) + each.amount_cny
    order = ("free_funds", "deposit", "guarantee", "reserve", "loss")
    for number, source in enumerate(order[:-1]):
        assert taken.get(source, 0) <= sources[source]
        if taken.get(source, 0) < sources[source]:
            assert not any(taken.get(later, 0) for later in order[number + 1 :])

    given_back = plan_recovery(taken, paid_cny=paid)
    assert sum(each.amount_cny for each in given_back) <= paid
    assert all(each.amount_cny <= taken[each.source] for each in given_back)
    assert [each.source for each in given_back] == [
        source
        for source in ("loss", "reserve", "guarantee")
        if source in {each.source for each in given_back}
    ]


def test_a_penalty_counts_days_and_is_capped() -> None:
    debts = [(Decimal("66.53"), date(2026, 12, 1))]
    rates = {"rate_per_day": Decimal("0.0005"), "cap_rate": Decimal("0.2")}

    assert penalty_of(debts, on=date(2026, 12, 1), **rates) == 0
    assert penalty_of(debts, on=date(2026, 12, 31), **rates) == Decimal("1.00")
    assert penalty_of(debts, on=date(2036, 12, 31), **rates) == Decimal("13.31")
