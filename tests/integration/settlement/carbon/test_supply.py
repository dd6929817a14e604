"""Hourly green supply in statements: recorded once, refused whole, pinned, scored."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.domain.errors import NotFound
from marketplace.domain.periods import market_date
from settlement.domain.carbon.supply import energy_from_grid
from settlement.models import GranularSlice, GreenReference
from settlement.selectors.carbon.scores import (
    GreenFigures,
    hub_figures,
    pool_figures,
    pool_month,
    supplier_figures,
)
from settlement.selectors.carbon.supply import StatedShare, expected_supply, metered_supply
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.carbon.gathering import SubjectKey
from settlement.services.carbon.references import load_green_references, state_reference
from settlement.services.carbon.statements import issue_statement
from settlement.services.carbon.supply import (
    COLUMNS,
    SourceRefused,
    SupplyRefused,
    SupplyRow,
    parse_supply_file,
    record_supply,
    register_source,
)
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.settling import settle_auction
from tests.factories.marketplace import member, operator
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    as_seller,
    deliver,
    funded,
    move_clock,
    published_auction,
)
from tests.integration.settlement.carbon.floor import HOUR, MONTH, settled_day
from tests.integration.settlement.carbon.test_statements import _verify

pytestmark = [pytest.mark.django_db, pytest.mark.runtime_role]


@pytest.fixture
def day():
    found = settled_day()
    load_green_references()
    return found


def _pools(day):
    return [delivery.allocation.listing.pool for delivery in day.deliveries]


def _source(day, kind="own_solar", capacity_w=1_000_000, **given):
    values = {
        "pool": _pools(day)[0].identifier,
        "kind": kind,
        "name": "光伏一期",
        "capacity_w": capacity_w,
        "valid_from": market_date(DELIVERY_STARTS) - timedelta(days=30),
        "evidence": "并网验收意见书 1",
    }
    return register_source(actor=as_seller(day.seller), **{**values, **given})


def _row(source, hours, energy_wh, reading="metered", charge_wh=0, line=2):
    at = DELIVERY_STARTS + hours * HOUR
    return SupplyRow(line, source.code, at, reading, energy_wh, charge_wh)


def _record(day, *rows):
    return record_supply(actor=as_seller(day.seller), rows=rows)


def _state(day, **options):
    subject = SubjectKey.of_pool(_pools(day)[0])
    return issue_statement(subject=subject, month=MONTH, actor=None, **options)


def _load(day):
    statement = _state(day)
    return {
        row.starts_at: row.load_wh for row in pool_month(_pools(day)[0], MONTH).hours
    }, statement


def test_metered_hours_cover_the_load_of_their_hour_and_a_correction_leaves_the_statement(day):
    load, before = _load(day)
    first = min(load)
    hours = int((first - DELIVERY_STARTS) / HOUR)
    solar, direct = _source(day), _source(day, "direct")
    _record(day, _row(solar, hours, 5_000), _row(direct, hours, 1_000_000))
    after = _state(day)

    assert (before.version, after.version) == (1, 2)
    assert (before.matched_wh, before.own_wh) == (0, 0)
    assert (after.own_wh, after.direct_wh) == (5_000, load[first] - 5_000)
    assert after.matched_wh == load[first]
    assert after.certificates == 0
    assert after.excess_wh == 1_000_000 - after.direct_wh
    assert after.location_g == before.location_g
    assert after.market_g == (before.facility_wh - load[first]) * after.residual_factor
    assert "follows from its inputs" in _verify(after)

    _record(day, _row(solar, hours, 4_000))
    after.refresh_from_db()
    assert after.own_wh == 5_000
    assert pool_month(_pools(day)[0], MONTH).is_stale
    corrected = _state(day)
    assert (corrected.version, corrected.own_wh) == (3, 4_000)
    assert not pool_month(_pools(day)[0], MONTH).is_stale


def test_a_statement_without_supply_keeps_the_hash_it_had(day):
    statement = _state(day)

    assert "on_site" not in json.loads(statement.inputs)["matching"]


def test_the_same_file_again_changes_nothing_and_a_correction_is_a_revision(day):
    source = _source(day)
    text = "\n".join(
        [
            ",".join(COLUMNS),
            f"{source.code},{DELIVERY_STARTS.isoformat()},metered,700,",
            f"{source.code},{DELIVERY_STARTS.isoformat()},forecast,900,0",
        ]
    )
    actor = as_seller(day.seller)
    taken = [record_supply(actor=actor, rows=parse_supply_file(text)) for _ in range(2)]
    corrected = record_supply(actor=actor, rows=parse_supply_file(text.replace(",700,", ",800,")))

    assert (taken, corrected) == ([2, 0], 1)
    rows = GranularSlice.objects.filter(source=source, reading="metered").order_by("revision")
    assert [(row.revision, row.energy_wh) for row in rows] == [(1, 700), (2, 800)]


def test_what_is_metered_wins_over_what_was_forecast(day):
    source, pool = _source(day), _pools(day)[0]
    _record(day, _row(source, 0, 900, "forecast"), _row(source, 1, 400, "forecast"))
    _record(day, _row(source, 0, 700))
    span = {"starts_at": DELIVERY_STARTS, "ends_at": DELIVERY_STARTS + 2 * HOUR}

    expected = expected_supply(pools=[pool.pk], **span)[pool.pk]
    metered = metered_supply(pool=pool, **span)

    assert [row.own_wh for row in expected] == [700, 400]
    assert [row.own_wh for row in metered] == [700]


def test_a_storage_counts_in_the_hour_it_discharges(day):
    solar, storage = _source(day), _source(day, "storage")
    _record(
        day,
        _row(solar, 0, 10_000),
        _row(storage, 0, 0, charge_wh=6_000),
        _row(storage, 1, 5_500),
    )
    span = {"starts_at": DELIVERY_STARTS, "ends_at": DELIVERY_STARTS + 2 * HOUR}

    assert [row.own_wh for row in metered_supply(pool=_pools(day)[0], **span)] == [4_000, 5_500]


FAULTS = {
    "unknown_source": {"source": "NOBODY-01"},
    "not_an_hour": {"hour": DELIVERY_STARTS + timedelta(minutes=15)},
    "reading": {"reading": "guessed"},
    "negative": {"energy_wh": -1},
    "above_capacity": {"energy_wh": 1_000_001},
    "charge_of_generator": {"charge_wh": 1},
    "outside": {"hour": DELIVERY_STARTS - timedelta(days=40)},
    "not_over": {"hour": DELIVERY_STARTS + timedelta(days=40)},
    "time": {"hour": (DELIVERY_STARTS).replace(tzinfo=None)},
}


@pytest.mark.parametrize("reason", FAULTS)
def test_one_bad_hour_refuses_them_all_with_its_line(day, reason):
    source = _source(day)
    good = _row(source, 0, 5)
    bad = SupplyRow(
        **{
            "line": 3,
            "source": source.code,
            "hour": DELIVERY_STARTS + HOUR,
            "reading": "metered",
            "energy_wh": 5,
            **FAULTS[reason],
        }
    )
    with pytest.raises(SupplyRefused) as refusal:
        _record(day, good, bad)

    assert refusal.value.params == {"line": 3, "reason": reason}
    assert not GranularSlice.objects.exists()


def test_the_same_hour_twice_is_an_overlap(day):
    source = _source(day)
    with pytest.raises(SupplyRefused) as refusal:
        _record(day, _row(source, 0, 5), _row(source, 0, 6, line=3))

    assert refusal.value.params == {"line": 3, "reason": "overlap"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("S,2026-11-20T12:00+08:00,metered,1", "cells"),
        ("S,yesterday,metered,1,", "time"),
        ("S,2026-11-20T12:00+08:00,metered,1.5,", "not_a_number"),
        ("S,2026-11-20T12:00+08:00,metered,-7,", "negative"),
        ("S,2026-11-20T12:00+08:00,metered,,", "not_a_number"),
        ('S,"2026', "cells"),
    ],
)
def test_a_file_that_cannot_be_read_names_the_line(line, reason):
    with pytest.raises(SupplyRefused) as refusal:
        parse_supply_file("\n".join([",".join(COLUMNS), line]))

    assert (refusal.value.params["line"], refusal.value.params["reason"]) == (2, reason)


def test_storage_that_counts_twice_is_refused_at_its_line(day):
    solar, storage = _source(day), _source(day, "storage")
    for rows, line, reason in (
        ((_row(storage, 0, 0, charge_wh=1, line=7),), 7, "charge_above_generation"),
        ((_row(solar, 0, 9), _row(storage, 1, 1, line=8)), 8, "discharge_above_charge"),
    ):
        with pytest.raises(SupplyRefused) as refusal:
            _record(day, *rows)
        assert refusal.value.params == {"line": line, "reason": reason}
    assert not GranularSlice.objects.exists()

    _record(day, _row(solar, 0, 9), _row(storage, 0, 0, charge_wh=9))
    with pytest.raises(SupplyRefused) as refusal:
        _record(day, _row(solar, 0, 8, line=4))  # the storage took 9 of it
    assert refusal.value.params == {"line": 4, "reason": "charge_above_generation"}


def test_a_forecast_answers_for_its_own_hours_and_not_for_earlier_forecasts(day):
    solar, storage = _source(day), _source(day, "storage")
    _record(
        day,
        _row(solar, 0, 9, "forecast"),
        _row(storage, 0, 0, "forecast", charge_wh=9),
        _row(storage, 2, 9, "forecast"),
    )
    _record(day, _row(solar, 0, 5), _row(storage, 0, 0, charge_wh=5))  # not the 9 expected

    assert _record(day, _row(solar, 2, 7, "forecast"), _row(solar, 3, 7, "forecast")) == 2
    assert _record(day, _row(storage, 3, 0, "forecast", charge_wh=7)) == 1
    assert _record(day, _row(storage, 4, 7, "forecast")) == 1  # what it took since
    with pytest.raises(SupplyRefused) as refusal:
        _record(day, _row(storage, 5, 1, "forecast", line=6))
    assert refusal.value.params == {"line": 6, "reason": "discharge_above_charge"}


def test_metered_hours_answer_for_what_they_leave_later_ones(day):
    solar, storage = _source(day), _source(day, "storage")
    _record(day, _row(solar, 0, 9), _row(storage, 0, 0, charge_wh=9), _row(storage, 2, 9))
    with pytest.raises(SupplyRefused) as refusal:
        _record(day, _row(storage, 0, 0, charge_wh=8, line=5))

    assert refusal.value.params == {"line": 5, "reason": "discharge_above_charge"}


def test_a_file_of_two_data_centres_names_the_line_of_the_faulty_one(day):
    faulty, fine = _pools(day)
    _source(day, "storage", pool=fine.identifier)
    other, storage = _source(day, pool=fine.identifier), _source(day, "storage")
    with pytest.raises(SupplyRefused) as refusal:
        _record(
            day,
            _row(other, 1, 5, line=2),
            _row(storage, 1, 5, line=3),
            _row(other, 1, 5, "forecast", line=4),
            _row(other, 2, 5, line=5),
        )

    assert storage.pool == faulty
    assert refusal.value.params == {"line": 3, "reason": "discharge_above_charge"}


def test_nobody_records_for_another_supplier(day):
    source = _source(day)
    with pytest.raises(SupplyRefused) as refusal:
        record_supply(actor=member(day.buyer), rows=[_row(source, 0, 5)])
    with pytest.raises(NotFound):
        register_source(
            actor=member(day.buyer),
            pool=_pools(day)[0].identifier,
            kind="own_solar",
            name="X",
            capacity_w=1,
            valid_from=MONTH,
            evidence="Y",
        )

    assert refusal.value.params["reason"] == "unknown_source"


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "coal"), ("name", " "), ("capacity_w", 0), ("evidence", " "), ("valid_to", MONTH)],
)
def test_a_source_needs_its_figures_and_evidence(day, field, value):
    value = value.replace(year=2000) if field == "valid_to" else value
    with pytest.raises(SourceRefused) as refusal:
        _source(day, **{field: value})

    assert refusal.value.field == field


def test_scores_tie_to_the_statements(day):
    load, _ = _load(day)
    first = min(load)
    hours = int((first - DELIVERY_STARTS) / HOUR)
    solar, contract = _source(day), _source(day, "contract")
    _record(day, _row(solar, hours, 5_000), _row(contract, hours, 2_000))
    statement = _state(day)
    (row,) = [r for r in pool_figures(month=MONTH, organisation=day.seller) if r.month.own_wh]
    hub = next(h for h in hub_figures(MONTH) if h.hub == row.pool.hub)
    score = supplier_figures(pool_figures(month=MONTH, organisation=day.seller)).score

    # A contract counts by the hour in the score, and by its certificates in the statement.
    assert (statement.own_wh, statement.matched_wh, statement.hourly_wh) == (5_000, 5_000, 7_000)
    assert row.month.facility_wh == statement.facility_wh == sum(load.values())
    assert row.month.score == (Decimal(7_000) / statement.facility_wh).quantize(Decimal("0.0001"))
    assert row.month.gap.share == (Decimal(5_000) / statement.facility_wh).quantize(
        Decimal("0.0001")
    )
    assert row.month.target.share == Decimal("0.8")
    assert "669" in row.month.target.source
    assert row.month.grid.source == ""
    assert hub.month.own_wh == 5_000
    assert score is not None
    assert score <= row.month.score


def test_the_grid_counts_only_with_a_stated_source(day):
    load, _ = _load(day)
    row = pool_figures(month=MONTH, organisation=day.seller)[0]
    area = row.pool.hub.grid_province
    without = row.month.score
    state_reference(
        actor=operator(),
        kind="grid_share",
        area=area,
        valid_from=MONTH,
        share=Decimal("0.3"),
        source="省电力公司公告 1",
    )
    with_source = pool_figures(month=MONTH, organisation=day.seller)[0].month

    assert sum(load.values()) > 0
    assert without == 0
    assert with_source.score == Decimal("0.3000")
    assert with_source.grid.source == "省电力公司公告 1"
    assert with_source.matched_wh == 0  # the grid's share never enters a statement
    assert GreenReference.objects.filter(kind="grid_share").count() == 1


def test_the_year_counts_each_month_with_the_grid_share_stated_for_it():
    december = MONTH.replace(month=12)
    market, buyer, seller = Market(), funded("5000", code="BUYA"), funded(code="SELS")
    load_factor_sets()
    trade = Trade(buyer, seller, ["1"] * 12, "5.3337", "5.01", "0.2")  # eight days, then four
    auction = published_auction(market, [trade], period_minutes=24 * 60)
    (delivery,) = deliver(auction)
    move_clock(DELIVERY_STARTS + timedelta(days=13))
    complete_due_deliveries(DELIVERY_STARTS + timedelta(days=13))
    settle_auction(auction_id=auction.pk)
    subject = SubjectKey.of_pool(delivery.allocation.listing.pool)
    loads = [
        issue_statement(subject=subject, month=month, actor=None).facility_wh
        for month in (MONTH, december)
    ]
    for month, share in ((MONTH, "0.3"), (december, "0.6")):
        state_reference(
            actor=operator(),
            kind="grid_share",
            area="Ningxia",
            valid_from=month + timedelta(days=14),
            share=Decimal(share),
            source=f"省电力公司公告 {month:%m}",
        )
    (row,) = pool_figures(month=december)
    (hub,) = hub_figures(december)
    weighted = (loads[0] * Decimal("0.3") + loads[1] * Decimal("0.6")) / sum(loads)

    assert loads[0] > loads[1] > 0
    assert (row.month.score, row.month.grid_share) == (Decimal("0.6000"), Decimal("0.6"))
    assert row.year.score == hub.year.score == weighted.quantize(Decimal("0.0001"))
    assert (row.year.grid_share, row.year.grid_source) == (None, "")
    assert (hub.year.grid_share, hub.month.grid_source) == (None, "省电力公司公告 12")
    assert pool_figures(month=MONTH)[0].year.score == Decimal("0.3000")


def test_data_centres_of_several_provinces_have_no_one_grid_share():
    def figures(load, share):
        free = energy_from_grid(load, 0, Decimal(share))
        return GreenFigures(load, from_grid_wh=free, grid=StatedShare(Decimal(share), "公告"))

    alike = GreenFigures.together([figures(100, "0.3"), figures(300, "0.3")])
    mixed = GreenFigures.together([figures(100, "0.3"), figures(300, "0.7")])

    assert (alike.score, alike.grid_share, alike.grid_source) == (
        Decimal("0.3"),
        Decimal("0.3"),
        "公告",
    )
    assert (mixed.score, mixed.grid_share, mixed.grid_source) == (Decimal("0.6"), None, "")
    assert supplier_figures([]).score is None


def test_the_unmetered_hours_of_each_source_are_named(day):
    move_clock(DELIVERY_STARTS + 9 * HOUR)
    source = _source(day)
    load, _ = _load(day)
    found = pool_month(_pools(day)[0], MONTH)

    assert found.unmetered == {source.code: len(load)}
