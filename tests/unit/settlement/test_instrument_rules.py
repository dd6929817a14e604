"""Blocks of VCS, hours of certificates, possible doubles: any case, not only the examples."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import RuleBroken
from settlement.domain.registry.cross_registry import CreditedSpan, possible_doubles
from settlement.domain.registry.granular import (
    GranularExceedsParent,
    ProductionIntervalInvalid,
    certificates_to_use_up,
    check_interval,
    check_within_parent,
    hour_of,
)
from settlement.domain.registry.vcs_serials import read_vcs_block

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEXT = "9660-115597313-115618057-VCS-VCU-261-VER-US-14-1060-01012019-31122019-0"
days = st.dates(date(1996, 1, 1), date(2030, 12, 31))


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**12),
    st.integers(0, 10**9),
    st.integers(1, 16),
    st.tuples(days, days),
    st.booleans(),
)
def test_a_block_says_what_it_was_written_from(batch, first, more, scope, span, flag) -> None:
    starts, ends = sorted(span)
    bounds = f"{batch}-{first}-{first + more}"
    vintage = f"{starts:%d%m%Y}-{ends:%d%m%Y}"
    text = f"{bounds}-VCS-VCU-261-VER-CN-{scope}-77-{vintage}-{int(flag)}"

    block = read_vcs_block(text)

    assert (block.text, block.batch, block.run.units) == (text, batch, more + 1)
    assert (block.run.first, block.run.last) == (first, first + more)
    assert (block.starts_on, block.ends_on, block.sector) == (starts, ends, scope)
    assert block.has_additional_certification is flag


@given(st.text(alphabet="0123456789-VCSUERNABCD", max_size=90))
def test_any_other_text_is_refused_with_a_rule_and_nothing_else(text: str) -> None:
    with pytest.raises(RuleBroken):
        read_vcs_block(text)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("01012019", "31022019"), "SERIAL_MALFORMED"),
        (("31122019-0", "31122018-0"), "SERIAL_MALFORMED"),
        (("-14-", "-17-"), "SERIAL_MALFORMED"),
        (("-0", "-2"), "SERIAL_MALFORMED"),
        (("9660", "９６６０"), "SERIAL_MALFORMED"),
        (("115618057", "115597312"), "SERIALS_OUT_OF_ORDER"),
        ((TEXT, "VU-ITMO-11-356-2022-0-27-35"), "SERIAL_FOREIGN"),
        ((TEXT, "GS1-1-CN-GS1234-16-2019-1-5"), "SERIAL_FOREIGN"),
        ((TEXT, "WF1234567890ABCDE2026040000001AB"), "SERIAL_FOREIGN"),
    ],
)
def test_what_is_wrong_with_a_block_has_its_code(change, code) -> None:
    with pytest.raises(RuleBroken) as refused:
        read_vcs_block(TEXT.replace(*change))

    assert (refused.value.code, refused.value.field) == (code, "serial")


@given(st.lists(st.integers(1, 3_000_000), max_size=12), st.integers(1, 6))
def test_hours_never_exceed_the_certificates_that_were_used_up_for_them(energies, parents) -> None:
    issued = used = 0
    for energy in energies:
        try:
            check_within_parent(energy, sliced_wh=issued, parent_units=parents, parent="P")
        except GranularExceedsParent:
            assert issued + energy > parents * 1_000_000
            continue
        used += certificates_to_use_up(energy, issued_wh=issued, used_up=used)
        issued += energy
        assert issued <= used * 1_000_000 < issued + 1_000_000
        assert used <= parents


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)), st.integers(-7200, 7200))
def test_an_interval_lies_in_one_full_hour_that_is_over(start, seconds) -> None:
    starts_at = start.replace(microsecond=0, tzinfo=UTC)
    ends_at = starts_at + timedelta(seconds=seconds)
    fits = seconds > 0 and ends_at <= hour_of(starts_at) + timedelta(hours=1) and ends_at <= NOW

    if fits:
        check_interval(starts_at, ends_at, now=NOW)
    else:
        with pytest.raises(ProductionIntervalInvalid):
            check_interval(starts_at, ends_at, now=NOW)


def _span(registry="VCS", project="1", sector=1, country="CN", first=1, last=3) -> CreditedSpan:
    return CreditedSpan(
        registry, project, sector, country, date(2025, first, 1), date(2025, last, 28)
    )


@pytest.mark.parametrize(
    ("other", "is_double"),
    [
        (_span("CCER", "9"), True),
        (_span("CCER", "9", first=3, last=5), True),
        (_span("CCER", "9", first=4, last=5), False),
        (_span("CCER", "9", sector=14), False),
        (_span("CCER", "9", country="US"), False),
        (_span("CCER", "9", sector=None), False),
        (_span("CCER", "9", country=""), False),
        (_span("VCS", "9"), False),
    ],
)
def test_two_projects_may_be_one(other, is_double) -> None:
    found = possible_doubles([_span()], [other])

    assert found == ([(_span(), other)] if is_double else [])
    assert _span().may_be_the_same(other) == other.may_be_the_same(_span())


def test_a_pair_of_projects_is_told_once() -> None:
    others = [_span("CCER", "9", first=month, last=month) for month in (1, 2, 3)]

    assert len(possible_doubles([_span(), _span(first=2)], others)) == 1
