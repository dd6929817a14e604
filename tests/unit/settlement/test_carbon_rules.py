"""The invariants of the pure carbon rules, for thousands of random cases."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.domain.carbon.certificates import (
    WH_PER_CERTIFICATE,
    CertificateBlock,
    choose_certificates,
    last_valid_day,
)
from settlement.domain.carbon.energy import (
    EnergyInterval,
    it_energy_wh,
    rounding_difference,
    state_location_based,
    tonnes_of,
)
from settlement.domain.carbon.errors import (
    CarbonRuleBroken,
    InsufficientHeld,
    MwhAlreadyClaimed,
    SerialRangeOverlap,
)
from settlement.domain.carbon.exclusivity import (
    ExclusivityRules,
    ProjectMonth,
    check_sale,
    freeze_on_registration,
    issue_credits,
    rules_on,
)
from settlement.domain.carbon.matching import (
    SlotLength,
    SlotMatch,
    market_grams,
    match_arrays,
    match_slots,
    match_target,
)
from settlement.domain.carbon.monthly import DeliveryInputs, GreenSupply, state_month
from settlement.domain.carbon.netting import Obligation, net_cycle, net_obligations, net_tonnes
from settlement.domain.carbon.recognition import (
    AgreementTerms,
    CreditBlock,
    plan_recognition,
    refusal_of,
)
from settlement.domain.carbon.serials import (
    SerialRange,
    check_disjoint,
    count_serials,
    covers_exactly,
    merge_ranges,
    take_lowest,
)

DAY = date(2026, 3, 31)
WH = st.integers(0, 5_000_000)
GRAM = Decimal("0.000001")
factors = st.integers(0, 12_000).map(lambda n: Decimal(n).scaleb(-4))
tonnes = st.integers(0, 500_000_000).map(lambda n: Decimal(n).scaleb(-6))
shares = st.integers(0, 10_000).map(lambda n: Decimal(n).scaleb(-4))


@st.composite
def _terms(draw, registry="R1", priority=1):
    first = draw(st.integers(2019, 2025))
    caps = st.none() | tonnes
    return AgreementTerms(
        code=f"AGR-{registry}",
        from_registry=registry,
        to_scheme="S",
        instrument_types=frozenset(draw(st.sets(st.sampled_from(["sink", "reduction"])))),
        vintage_min=first,
        vintage_max=first + draw(st.integers(0, 4)),
        valid_from=DAY - timedelta(days=draw(st.integers(-3, 300))),
        valid_to=DAY + timedelta(days=draw(st.integers(-3, 300))),
        k=draw(st.integers(1, 10_000).map(lambda n: Decimal(n).scaleb(-4))),
        discount=draw(st.integers(0, 9_999).map(lambda n: Decimal(n).scaleb(-4))),
        relative_cap=draw(st.none() | shares),
        absolute_left=draw(caps),
        party_left=draw(caps),
        priority=priority,
        adjustment_required=draw(st.booleans()),
    )


@st.composite
def _holdings(draw, registry="R1"):
    blocks, start = [], 1
    for index in range(draw(st.integers(0, 5))):
        start += draw(st.integers(0, 50))
        last = start + draw(st.integers(0, 200))
        blocks.append(
            CreditBlock(
                batch=f"B{index}",
                registry=registry,
                programme="P",
                instrument_type=draw(st.sampled_from(["sink", "reduction"])),
                vintage=draw(st.integers(2019, 2027)),
                serials=SerialRange(start, last),
                adjustment_done=draw(st.booleans()),
                is_invalidated=draw(st.booleans()),
            )
        )
        start = last + 1
    return blocks


@st.composite
def _cases(draw):
    """A need, one agreement for each of two registries, and holdings of both."""
    terms = [draw(_terms("R1", 1)), draw(_terms("R2", 2))]
    holdings = draw(_holdings("R1")) + draw(_holdings("R2"))
    need = draw(tonnes)
    return need, terms, holdings


def _plan(need, terms, holdings, **changes):
    options = {"market_based_t": need, "scheme": "S", "on": DAY, **changes}
    return plan_recognition(need, terms, holdings, **options)


@given(_cases())
def test_inv_05_06_07_08_caps_eligibility_and_conservation(case):
    """INV-05, INV-06, INV-07, INV-08: caps, eligibility, conservation, over-coverage."""
    need, terms, holdings = case
    plan = _plan(need, terms, holdings)

    by_code = {item.code: item for item in terms}
    assert plan.applied_t + plan.net_residual_t == need
    assert plan.net_residual_t >= 0
    for line in plan.lines:
        agreement = by_code[line.agreement]
        per_credit = agreement.tonnes_per_credit
        assert line.cap_room_t is None or line.cap_usage_t <= line.cap_room_t
        assert line.applied_t <= line.need_before_t
        assert 0 <= line.over_coverage_t < per_credit
        assert line.cap_usage_t >= line.recognised_t
        for block in line.used:
            assert refusal_of(agreement, block, scheme="S", on=DAY) is None
    used = [block for line in plan.lines for block in line.used]
    before = sum(block.serials.count for block in holdings)
    assert sum(b.serials.count for b in used) + sum(b.serials.count for b in plan.left) == before


@given(_cases(), st.randoms())
def test_inv_20_order_of_agreements_and_holdings_is_nothing(case, random):
    """INV-20: another order gives the same plan."""
    need, terms, holdings = case
    shuffled = list(holdings)
    random.shuffle(shuffled)

    assert _plan(need, terms[::-1], shuffled) == _plan(need, terms, holdings)


@given(_cases(), tonnes, st.data())
def test_inv_19_less_room_or_fewer_credits_never_cover_more(case, cut, data):
    """INV-19: less room never covers more."""
    need, terms, holdings = case
    residual = _plan(need, terms, holdings).net_residual_t
    tighter = [_tightened(terms[0], cut), terms[1]]
    kept = [block for block in holdings if data.draw(st.booleans(), label=str(block))]

    assert _plan(need, tighter, holdings).net_residual_t >= residual
    assert _plan(need, terms, kept).net_residual_t >= residual


def _tightened(terms, cut):
    left = cut if terms.absolute_left is None else min(cut, terms.absolute_left)
    fields = {name: getattr(terms, name) for name in terms.__slots__}
    return AgreementTerms(**{**fields, "absolute_left": left})


@given(_terms("B"), _holdings("A"))
def test_inv_22_no_path_longer_than_one_edge(second, holdings):
    """INV-22: no path longer than one agreement."""
    fields = {name: getattr(second, name) for name in second.__slots__}
    first = AgreementTerms(**{**fields, "code": "AB", "from_registry": "A", "to_scheme": "B"})
    plan = _plan(Decimal(100), [first, second], holdings)

    assert plan.applied_t == 0
    assert [line.credits for line in plan.lines] == [0]


@given(st.dictionaries(st.integers(0, 720), WH), st.dictionaries(st.integers(0, 720), WH), factors)
def test_inv_10_11_matching_is_bounded_and_coarser_slots_match_more(load, green, factor):
    """INV-10, INV-11: matched within load and supply; coarser slots match more."""
    hourly = match_slots(load, green)
    months = _coarser(load, 240), _coarser(green, 240)
    monthly = match_slots(*months)
    yearly = SlotMatch(sum(load.values()), sum(green.values()))

    for slot, match in hourly.items():
        assert match.matched_wh <= min(load.get(slot, 0), green.get(slot, 0))
        assert match.matched_wh + match.residual_wh == load.get(slot, 0)
    matched = [sum(m.matched_wh for m in part.values()) for part in (hourly, monthly)]
    assert matched[0] <= matched[1] <= yearly.matched_wh
    whole = sum(load.values())
    by_hour = market_grams(whole - matched[0], matched[0], residual_factor=factor)
    assert by_hour >= market_grams(yearly.residual_wh, yearly.matched_wh, residual_factor=factor)


def _coarser(energies, length):
    sums = {}
    for slot, wh in energies.items():
        sums[slot // length] = sums.get(slot // length, 0) + wh
    return sums


@given(st.lists(st.tuples(WH, WH)))
def test_arrays_match_as_single_slots_do(rows):
    load = np.array([row[0] for row in rows], np.int64)
    green = np.array([row[1] for row in rows], np.int64)
    matched, residual = match_arrays(load, green)

    single = [SlotMatch(*row) for row in rows]
    assert matched.tolist() == [match.matched_wh for match in single]
    assert residual.tolist() == [match.residual_wh for match in single]


@pytest.mark.parametrize(
    ("load", "green"),
    [([1], [1, 2]), ([-1], [1]), ([1.5], [1.0])],
)
def test_arrays_of_anything_else_are_refused(load, green):
    with pytest.raises(ValueError):
        match_arrays(np.array(load), np.array(green))


@given(WH, shares, st.integers(0, 10))
def test_inv_12_allocated_energy_stays_within_whole_certificates(load, share, retired):
    """INV-12: allocated energy stays within whole certificates."""
    match = match_target(load, share=share, retired=retired)

    assert match.allocated_wh <= retired * WH_PER_CERTIFICATE
    assert match.allocated_wh + match.residual_wh == load
    assert match_target(load, share=share).allocated_wh >= match.target_wh


@given(
    st.lists(st.tuples(st.dates(date(2022, 1, 1), date(2027, 12, 1)), st.integers(1, 40))),
    st.integers(0, 100),
    st.dates(date(2024, 1, 1), date(2029, 12, 31)),
    st.randoms(),
)
def test_inv_14_no_certificate_serves_after_its_last_day(stock, count, retired_on, random):
    """INV-14: no certificate serves after its last day."""
    blocks = [
        CertificateBlock(f"B{n}", month.replace(day=1), SerialRange(1, size))
        for n, (month, size) in enumerate(stock)
    ]
    claim = {"count": count, "claim_month": date(2025, 3, 1), "retired_on": retired_on}
    choice = choose_certificates(blocks, **claim)
    shuffled = list(blocks)
    random.shuffle(shuffled)

    assert all(retired_on <= last_valid_day(block.production_month) for block in choice.used)
    assert all(block.production_month.year == 2025 for block in choice.used)
    assert choice.count + choice.missing == count
    assert choose_certificates(shuffled, **claim) == choice


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400), st.integers(0, 500), factors)
def test_inv_13_certificates_and_credits_stay_within_the_meter(metered, issued, sold, mwh, factor):
    """INV-13: certificates and credits stay within the meter."""
    issued = min(issued, metered)
    month = ProjectMonth(Decimal(metered), issued, sold=min(sold, issued))
    frozen = freeze_on_registration(month)

    assert frozen.frozen == month.unsold
    for asked in (1, month.unsold or 1):
        with pytest.raises(CarbonRuleBroken):
            check_sale(frozen, asked)
    energy = {"mwh": Decimal(mwh), "baseline_factor": factor}
    if mwh > frozen.unclaimed_mwh:
        with pytest.raises(MwhAlreadyClaimed):
            issue_credits(frozen, **energy)
        return
    credits, after = issue_credits(frozen, **energy)
    assert after.sold + after.credited_mwh <= metered
    assert credits <= mwh * factor < credits + 1
    assert after.cancelled == min(mwh, month.unsold)


def test_a_rule_set_past_its_notice_warns():
    rules = ExclusivityRules("R", date(2024, 10, 1), date(2026, 9, 30))

    assert rules_on([rules], date(2026, 11, 22)) == rules
    assert rules.needs_warning(date(2026, 11, 22))
    assert not rules.needs_warning(date(2026, 9, 30))
    assert rules_on([rules], date(2024, 9, 30)) is None


@st.composite
def _obligations(draw):
    codes = st.sampled_from("ABCDEF")
    found = []
    for payer, payee, grams in draw(
        st.lists(st.tuples(codes, codes, st.integers(1, 40_000_000)), max_size=12)
    ):
        if payer != payee:
            found.append(Obligation(payer, payee, Decimal(grams).scaleb(-6)))
    return found


prices = st.integers(1, 20_000).map(lambda n: Decimal(n).scaleb(-2))


@given(_obligations(), prices, st.randoms())
def test_inv_15_16_17_20_netting_conserves_credits_and_cash(obligations, price, random):
    """INV-15, INV-16, INV-17, INV-20: netting conserves credits and cash."""
    result = net_cycle(obligations, price_cny=price)
    rows = result.positions

    assert sum(row.tonnes for row in rows) == 0
    assert sum(row.delivered for row in rows) == sum(row.received for row in rows)
    assert sum(row.cash_cny for row in rows) + result.rounding_cny == 0
    assert abs(result.rounding_cny) <= Decimal("0.005") * len(rows)
    for row in rows:
        settled = Fraction(row.received - row.delivered) + Fraction(row.cash_cny) / Fraction(price)
        assert abs(settled - Fraction(row.tonnes)) * Fraction(price) <= Fraction(1, 200)
    assert result.net_t <= result.gross_t
    again = net_obligations({row.participant: row.tonnes for row in rows})
    assert net_tonnes(again) == {r.participant: r.tonnes for r in rows if r.tonnes}
    shuffled = list(obligations)
    random.shuffle(shuffled)
    assert net_cycle(shuffled, price_cny=price) == result
    moved = sum(flow.credits for flow in result.deliveries)
    assert moved == sum(row.delivered for row in rows)


@given(_obligations(), prices, st.sampled_from("ABCDEF"))
def test_a_failed_debtor_leaves_as_if_it_had_never_been(obligations, price, failed):
    kept = [o for o in obligations if failed not in (o.payer, o.payee)]
    result = net_cycle(obligations, price_cny=price, failed={failed})

    without = net_cycle(kept, price_cny=price)
    assert (result.positions, result.deliveries) == (without.positions, without.deliveries)
    assert len(result.removed) == len(obligations) - len(kept)


intervals = st.lists(
    st.tuples(st.integers(0, 300_000), st.integers(10_000, 30_000), factors), min_size=1
)


@given(intervals, st.integers(0, 100))
def test_inv_09_21_splitting_a_period_changes_no_gram(rows, cut):
    """INV-09, INV-21: splitting a period changes no gram."""
    made = [EnergyInterval(wh, Decimal(pue).scaleb(-4), factor) for wh, pue, factor in rows]
    whole = state_location_based(made)
    parts = [state_location_based(made[:cut]), state_location_based(made[cut:])]

    assert sum(part.facility_wh for part in parts) == whole.facility_wh
    assert sum((part.grams for part in parts), Decimal(0)) == whole.grams
    assert abs(whole.tonnes * 1_000_000 - whole.grams) <= Decimal("0.5")
    lines = [tonnes_of(interval.grams) for interval in made]
    assert sum(lines) + rounding_difference(whole.tonnes, lines) == whole.tonnes


month_rows = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(1, 3600),
        st.integers(0, 10**10),
        st.none() | st.integers(0, 10**9),
        st.integers(10_000, 30_000),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60)
@given(
    month_rows, st.integers(1, 10**7), st.integers(0, 12_000), WH, st.sampled_from(list(SlotLength))
)
def test_a_months_whole_numbers_are_the_exact_decimals(rows, centiwatts, factor_e4, wh, slot):
    cells = [(hour * 3600, *rest) for hour, *rest in rows]
    delivery = DeliveryInputs("D", "H", "P", factor_e4, centiwatts, cells)
    hours = [(hour * 3600, wh) for hour in range(3)]
    green = GreenSupply(slot, whole_wh=wh, hours=hours)
    month = state_month([delivery], green, residual_e4=6096)

    load, energy = {}, []
    for start, seconds, milli, metered, pue_e4 in cells:
        exact = Fraction(milli, 1000) * Fraction(seconds, 3600) * Fraction(centiwatts, 100)
        it_wh = metered
        if it_wh is None:
            it_wh = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
        factor = Decimal(factor_e4).scaleb(-4)
        energy.append(EnergyInterval(it_wh, Decimal(pue_e4).scaleb(-4), factor))
        load[start] = load.get(start, 0) + energy[-1].facility_wh
    stated = state_location_based(energy)
    assert (month.it_wh, month.facility_wh) == (stated.it_wh, stated.facility_wh)
    assert (month.location_g, month.location_t) == (stated.grams, stated.tonnes)
    if slot is SlotLength.HOUR:
        matches = match_slots(load, dict(hours)).values()
    else:
        matches = [SlotMatch(stated.facility_wh, wh)]
    assert month.matched_wh == sum(match.matched_wh for match in matches)
    assert month.excess_wh == sum(match.excess_wh for match in matches)
    assert month.matched_wh + month.residual_wh == month.facility_wh


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(0, 300))
def test_inv_02_serials_split_and_merge_without_loss(sizes, count):
    """INV-02: serials split and merge without loss."""
    whole = SerialRange(1, sum(sizes))
    parts, start = [], 1
    for size in sizes:
        parts.append(SerialRange(start, start + size - 1))
        start += size

    assert covers_exactly(whole, parts[::-1])
    assert merge_ranges(parts) == [whole]
    if count > whole.count:
        with pytest.raises(InsufficientHeld):
            take_lowest(parts, count)
        return
    taken, left = take_lowest(parts, count)
    assert count_serials(taken) == count
    assert covers_exactly(whole, [*taken, *left])
    assert taken == ([SerialRange(1, count)] if count else [])


def test_overlapping_serials_are_refused():
    with pytest.raises(SerialRangeOverlap):
        check_disjoint([SerialRange(1, 5), SerialRange(5, 9)])
    assert not covers_exactly(SerialRange(1, 9), [SerialRange(1, 5), SerialRange(5, 9)])
    assert SerialRange(1, 9).without(SerialRange(4, 5)) == [SerialRange(1, 3), SerialRange(6, 9)]
    with pytest.raises(InsufficientHeld):
        SerialRange(1, 9).without(SerialRange(9, 10))


def test_estimated_energy_is_rounded_once_half_up():
    assert it_energy_wh([(Decimal("0.5"), Decimal(1)), (Decimal("0.5"), Decimal(1))]) == 1
    assert it_energy_wh([(Decimal("0.5"), Decimal(1))]) == 1
    assert tonnes_of(Decimal(1)) == GRAM
