"""Hourly green supply: storage counted once, hours that lend nothing, shares and the gap."""

import tomllib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.domain.carbon.matching import SlotLength, SlotMatch, cfe_score, cut_at_hours
from settlement.domain.carbon.monthly import DeliveryInputs, GreenSupply, state_month
from settlement.domain.carbon.supply import (
    HourSupply,
    SourceHour,
    StorageFault,
    SupplyKind,
    energy_from_grid,
    find_storage_fault,
    gap_to_target,
    match_on_site,
    net_supply,
    score_with_grid,
    volume_share,
)
from settlement.verification.carbon_statement import recompute

HOUR = 3600
DOCS = Path(__file__).resolve().parents[3] / "docs/explanation"
PARTS = ("own_wh", "direct_wh", "contract_wh")
COVERED = ("own_wh", "direct_wh", "hourly_wh")
SHARES = (
    *("score", "score_at_grid_share", "volume_share"),
    *("without_certificates", "with_one_certificate"),
)
energies = st.integers(0, 5_000_000)


@pytest.fixture(scope="module")
def table():
    text = (DOCS / "green-supply-examples.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _day(table):
    day, rows = table["day"], []
    for index in range(len(day["load"])):
        at = index * HOUR
        rows += [
            SourceHour("S", SupplyKind.SOLAR, at, day["solar"][index]),
            SourceHour(
                "B", SupplyKind.STORAGE, at, day["discharged"][index], day["charged"][index]
            ),
            SourceHour("D", SupplyKind.DIRECT, at, day["direct"][index]),
            SourceHour("C", SupplyKind.CONTRACT, at, day["contract"][index]),
        ]
    return dict(enumerate_hours(day["load"])), rows


def enumerate_hours(values):
    return ((index * HOUR, value) for index, value in enumerate(values))


def test_the_worked_day_comes_out_exactly(table):
    load, rows = _day(table)
    expected = table["day"]["expected"]
    supply = net_supply(rows)
    found = match_on_site(load, supply)
    total = sum(load.values())
    share = Decimal(expected["grid_share"])

    assert find_storage_fault(rows) is None
    assert [row.own_wh for row in supply] == expected["own"]
    for name in ("own_wh", "direct_wh", "hourly_wh", "supply_wh", "unused_wh"):
        assert getattr(found, name) == expected[name], name
    assert str(score_with_grid(total, found.hourly_wh, Decimal(0))) == expected["score"]
    free = energy_from_grid(total, found.hourly_wh, share)
    scored = score_with_grid(total, found.hourly_wh, free)
    assert str(scored) == expected["score_at_grid_share"]
    assert str(volume_share(total, found.supply_wh)) == expected["volume_share"]


def test_the_worked_gap_comes_out_exactly(table):
    load, rows = _day(table)
    found = match_on_site(load, net_supply(rows))
    total, target = sum(load.values()), table["target"]
    green = found.own_wh + found.direct_wh
    gap = gap_to_target(total, green, target=Decimal(target["share"]))
    covered = gap_to_target(total, green + 1_000_000, target=Decimal(target["share"]))

    assert str(gap.share) == target["without_certificates"]
    assert (gap.gap_wh, gap.certificates) == (target["gap_wh"], target["gap_certificates"])
    assert str(covered.share) == target["with_one_certificate"]
    assert (covered.gap_wh, covered.certificates) == (0, 0)


def _table_of(table):
    """Return the rows of the pages' table, kilowatt-hours with their sums."""
    day = table["day"]
    load, rows = _day(table)
    supply = net_supply(rows)
    matches = [match_on_site(load, [row]) for row in supply]
    found = [
        *(day["load"], day["solar"], day["charged"], day["discharged"]),
        *([getattr(row, name) for row in supply] for name in PARTS),
        *([getattr(match, name) for match in matches] for name in COVERED),
    ]
    return [[wh // 1000 for wh in (*row, sum(row))] for row in found]


def _rows_shown(text):
    lines = (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| "))
    return [[int(cell) for cell in cells[1:]] for cells in lines if cells[-1].isdigit()]


@pytest.mark.parametrize("name", ["green-supply.md", "green-supply.zh.md"])
def test_both_pages_show_the_worked_numbers(table, name):
    text = (DOCS / name).read_text(encoding="utf-8")
    words = " ".join(text.split())
    load, rows = _day(table)
    found = match_on_site(load, net_supply(rows))
    total, green = sum(load.values()), found.own_wh + found.direct_wh
    gap = gap_to_target(total, green, target=Decimal(table["target"]["share"]))
    covered = green + gap.certificates * 1_000_000
    kilowatt_hours = [f"{wh // 1000:,} kWh" for wh in (green, gap.target_wh, gap.gap_wh, covered)]
    quotients = [f"{wh // 1000:,} / {total // 1000:,}" for wh in (found.hourly_wh, found.supply_wh)]
    rest = f"{(total - found.hourly_wh) // 1000:,} × {table['day']['expected']['grid_share']}"
    stated = {**table["day"]["expected"], **table["target"]}
    shares = [f"{Decimal(stated[name]) * 100:.2f} %" for name in SHARES]

    assert kilowatt_hours == ["4,600 kWh", "4,800 kWh", "200 kWh", "5,600 kWh"]
    assert quotients == ["5,100 / 6,000", "5,900 / 6,000"]
    assert _rows_shown(text) == _table_of(table)
    shown = [*kilowatt_hours, *quotients, rest, *shares]
    assert [each for each in shown if each not in words] == []


def test_a_period_is_cut_at_full_hours():
    begins = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
    at = int(begins.timestamp())
    cuts = [*cut_at_hours(begins, begins + timedelta(minutes=105))]

    assert cuts == [(at, at + 1800), (at + 1800, at + 5400), (at + 5400, at + 6300)]
    assert [*cut_at_hours(begins, begins)] == []


def test_a_gap_is_rounded_up_to_the_watt_hour():
    assert gap_to_target(3, 0, target=Decimal("0.5")).gap_wh == 2
    assert gap_to_target(0, 0, target=Decimal("0.8")).share is None


def test_charging_more_than_was_generated_is_a_fault():
    rows = [
        SourceHour("S", SupplyKind.SOLAR, 0, 100),
        SourceHour("B", SupplyKind.STORAGE, 0, 0, 101),
    ]

    assert find_storage_fault(rows) == StorageFault("", 0, "charge_above_generation")


def test_discharging_more_than_was_charged_is_a_fault():
    rows = [
        SourceHour("S", SupplyKind.SOLAR, 0, 100),
        SourceHour("B", SupplyKind.STORAGE, 0, 0, 60),
        SourceHour("B", SupplyKind.STORAGE, HOUR, 61),
    ]

    assert find_storage_fault(rows) == StorageFault("B", HOUR, "discharge_above_charge")
    assert find_storage_fault(rows[:2]) is None


def test_hours_that_do_not_count_are_taken_as_they_are_and_begin_again_at_zero():
    rows = [
        SourceHour("S", SupplyKind.SOLAR, 0, 100),
        SourceHour("B", SupplyKind.STORAGE, 0, 70, 60),
        SourceHour("S", SupplyKind.SOLAR, HOUR, 100),
        SourceHour("B", SupplyKind.STORAGE, HOUR, 0, 50),
        SourceHour("B", SupplyKind.STORAGE, 2 * HOUR, 51),
    ]

    def since(first):
        return find_storage_fault(rows, counts=lambda fault: fault.hour >= first)

    assert since(0) == StorageFault("B", 0, "discharge_above_charge")
    assert since(HOUR) == StorageFault("B", 2 * HOUR, "discharge_above_charge")
    assert find_storage_fault(rows[:4], counts=lambda fault: fault.hour >= HOUR) is None


@given(st.lists(st.tuples(energies, energies, energies), min_size=1, max_size=24))
def test_storage_never_makes_energy_and_hours_never_lend(hours):
    rows, level = [], 0
    for index, (solar, charge, discharge) in enumerate(hours):
        taken = min(charge, solar)
        given_back = min(discharge, level + taken)
        level += taken - given_back
        at = index * HOUR
        rows.append(SourceHour("S", SupplyKind.SOLAR, at, solar))
        rows.append(SourceHour("B", SupplyKind.STORAGE, at, given_back, taken))
    supply = net_supply(rows)

    assert find_storage_fault(rows) is None
    assert sum(row.total_wh for row in supply) + level == sum(solar for solar, _, _ in hours)


supplies = st.lists(st.tuples(energies, energies, energies, energies), min_size=1, max_size=24)


@given(supplies)
def test_the_score_of_one_grid_share_is_that_of_the_formula(hours):
    load = {index * HOUR: row[0] for index, row in enumerate(hours)}
    supply = [HourSupply(index * HOUR, *row[1:]) for index, row in enumerate(hours)]
    found, share = match_on_site(load, supply), Decimal("0.37")
    slots = [(SlotMatch(row[0], sum(row[1:])), share) for row in hours]

    free = energy_from_grid(sum(load.values()), found.hourly_wh, share)

    assert score_with_grid(sum(load.values()), found.hourly_wh, free) == cfe_score(slots)
    assert found.own_wh + found.direct_wh <= found.hourly_wh <= sum(load.values())
    volume = volume_share(sum(load.values()), found.supply_wh)
    hourly = score_with_grid(sum(load.values()), found.hourly_wh, Decimal(0))
    assert volume is None or hourly <= volume


@given(supplies, st.integers(0, 20_000_000), st.sampled_from(["month", "hour"]))
def test_the_verification_finds_the_same_parts_by_another_way(hours, certified_wh, slot):
    intervals = [(index * HOUR, HOUR, 1000, row[0], 10_000) for index, row in enumerate(hours)]
    supply = [HourSupply(index * HOUR, *row[1:]) for index, row in enumerate(hours)]
    certificates = [(index * HOUR, certified_wh // len(hours)) for index in range(len(hours))]
    delivery = DeliveryInputs("A", "H", "P", 5000, 10_000, intervals)
    green = GreenSupply(SlotLength(slot), certified_wh, certificates, supply)
    figures = state_month([delivery], green, residual_e4=6096)
    document = {
        "scales": {"units": 1000, "watts": 100, "pue": 10_000, "factors": 10_000},
        "factors": {"year": 1, "announcement": "", "residual": 6096, "certificate": 0},
        "matching": {
            "slot": slot,
            "whole_wh": certified_wh,
            "hours": certificates,
            "on_site": [(r.hour, r.own_wh, r.direct_wh, r.contract_wh) for r in supply],
        },
        "deliveries": [
            {"id": "A", "watts": 10_000, "factor": 5000, "intervals": intervals},
        ],
    }
    again, _lines = recompute(document)

    for name in ("matched_wh", "excess_wh", "own_wh", "direct_wh", "hourly_wh", "supply_wh"):
        assert getattr(figures, name) == again[name], name
    assert figures.certificates == again["certificates"]
    assert figures.market_g == again["market_g"]
