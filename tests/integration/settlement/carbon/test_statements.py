"""Carbon statements: figures, versions, closing, hash, and the independent recomputation."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from marketplace.domain.errors import NotPermitted
from settlement.domain.carbon.errors import StatementClosed
from settlement.models import EmissionStatement, FactorSet, MeterReading, PueInterval
from settlement.services.carbon.closing import MonthNotOver, check_open, close_statement
from settlement.services.carbon.gathering import SubjectKey, energy_between
from settlement.services.carbon.statements import NothingToState, issue_month, issue_statement
from settlement.tasks import issue_carbon_statements
from tests.factories.marketplace import member, operator
from tests.factories.settlement import DELIVERY_STARTS, move_clock
from tests.integration.settlement.carbon.floor import HOUR, MONTH, settled_day

pytestmark = pytest.mark.django_db
AFTER = datetime(2026, 12, 1, 4, tzinfo=UTC)


def _issue(day, **options):
    subject = SubjectKey.of_buyer(day.buyer)
    return issue_statement(subject=subject, month=MONTH, actor=None, **options)


def _verify(statement):
    output = io.StringIO()
    call_command("verify_statement", str(statement.public_id), stdout=output)
    return output.getvalue()


def _correct(day, energy_wh):
    MeterReading.objects.create(
        delivery=day.deliveries[1],
        starts_at=DELIVERY_STARTS,
        ends_at=DELIVERY_STARTS + HOUR,
        revision=2,
        quantity=5,
        quality="corrected",
        source="portal",
        energy_wh=energy_wh,
    )


def test_a_buyers_month_follows_from_its_deliveries():
    statement = _issue(settled_day())

    # 3 × 10 × 670; 5 × 670 read, then 2 × 7 × 670 as contracted; PUE 1.1850 by the hour.
    assert statement.it_wh == 20_100 + 12_730
    assert statement.facility_wh == 3 * 7_940 + 3_970 + 2 * 5_558
    assert statement.location_g == Decimal(38906) * Decimal("0.6187")
    assert statement.market_g == Decimal(38906) * Decimal("0.6096")
    assert (statement.version, statement.delivery_count, statement.is_estimated) == (1, 2, True)
    assert statement.announcement == "MEE+NBS Announcement 2025 No.47"
    assert statement.residual_wh == statement.facility_wh
    assert sum(statement.lines.values_list("facility_wh", flat=True)) == statement.facility_wh
    assert "follows from its inputs" in _verify(statement)


def test_metered_energy_is_taken_where_readings_carry_it():
    day = settled_day(energy_wh=3_333)
    statement = _issue(day)

    line = statement.lines.get(delivery=day.deliveries[1])
    assert line.it_wh == 3_333 + 2 * 7 * 670
    assert line.is_estimated  # the other two hours were not read


def test_a_metered_pue_counts_before_the_declared_one():
    day = settled_day()
    pool = day.deliveries[0].allocation.listing.pool
    for place in ({"hub": pool.hub, "pue": "1.3"}, {"pool": pool, "pue": "1.25"}):
        PueInterval.objects.create(
            starts_at=DELIVERY_STARTS, ends_at=DELIVERY_STARTS + HOUR, source="test", **place
        )
    statement = _issue(day)

    document = json.loads(statement.inputs)
    assert [row[4] for row in document["deliveries"][0]["intervals"]] == [12500, 11850, 11850]
    assert [row[4] for row in document["deliveries"][1]["intervals"]] == [13000, 11850, 11850]


def test_the_same_inputs_give_the_same_statement():
    day = settled_day()

    assert _issue(day) == _issue(day)
    assert issue_month(month=MONTH).unchanged == 1


def test_a_correction_is_a_new_version_and_the_old_one_stays():
    day = settled_day()
    first = _issue(day)
    before = (first.sha256, first.inputs, first.location_based_t)
    _correct(day, 4_000)
    second = _issue(day)

    assert (second.version, second.supersedes) == (2, first)
    assert second.it_wh == first.it_wh - 5 * 670 + 4_000
    first.refresh_from_db()
    assert (first.sha256, first.inputs, first.location_based_t) == before
    with pytest.raises(StatementClosed):
        check_open(first)
    assert issue_month(month=MONTH).unchanged == 1


def test_a_new_factor_set_never_touches_past_statements():
    day = settled_day()
    first = _issue(day)
    shipped = FactorSet.objects.get(year=2023)
    newer = FactorSet.objects.create(year=2024, announcement="N", origin="shipped", sha256="0" * 64)
    newer.values.create(
        level="national", area_en="National", area_zh="全国", basis="average", kg_per_kwh="0.5"
    )
    newer.values.create(
        level="national",
        area_en="National",
        area_zh="全国",
        basis="average_excl_market_traded_non_fossil",
        kg_per_kwh="0.6",
    )
    newer.state = "approved"
    newer.save(update_fields=["state"])
    second = _issue(day)

    first.refresh_from_db()
    assert (first.factor_set, first.factor_year) == (shipped, 2023)
    assert (second.factor_set, second.version) == (newer, 2)
    assert "follows from its inputs" in _verify(first)


def test_a_closed_statement_takes_a_reason_to_be_corrected():
    day = settled_day()
    statement = _issue(day)
    finance = member(day.buyer)
    with pytest.raises(MonthNotOver):
        close_statement(actor=finance, public_id=statement.public_id)
    move_clock(AFTER)
    close_statement(actor=finance, public_id=statement.public_id)
    with pytest.raises(StatementClosed):
        close_statement(actor=finance, public_id=statement.public_id)
    _correct(day, 4_000)

    with pytest.raises(StatementClosed):
        _issue(day)
    assert issue_month(month=MONTH).closed == 1
    assert _issue(day, reason="The meter was read wrongly").version == 2


def test_the_clock_states_the_month_that_is_over():
    day = settled_day()
    move_clock(AFTER)

    assert issue_carbon_statements() == 3  # the buyer and the seller's two pools
    assert issue_carbon_statements() == 0
    pools = EmissionStatement.objects.filter(subject="pool", organisation=day.seller)
    assert sum(pools.values_list("facility_wh", flat=True)) == 38_906


def test_strangers_and_empty_months_are_refused():
    day = settled_day()
    subject = SubjectKey.of_buyer(day.buyer)

    with pytest.raises(NotPermitted):
        issue_statement(subject=subject, month=MONTH, actor=member(day.seller))
    with pytest.raises(NothingToState):
        issue_statement(subject=SubjectKey.of_buyer(day.seller), month=MONTH, actor=operator())
    assert issue_statement(subject=subject, month=MONTH, actor=member(day.buyer)).version == 1


def test_an_order_is_a_subject_too():
    day = settled_day()
    order = day.deliveries[0].allocation.buy_order
    statement = issue_statement(subject=SubjectKey.of_order(order), month=MONTH, actor=None)

    assert (statement.order, statement.facility_wh) == (order, 3 * 7_940)
    assert "follows from its inputs" in _verify(statement)


def test_statements_are_never_rewritten():
    statement = _issue(settled_day())

    with pytest.raises(IntegrityError), transaction.atomic():
        EmissionStatement.objects.filter(pk=statement.pk).update(market_based_t=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        statement.lines.all().delete()


@pytest.mark.parametrize(
    "change",
    [
        "market_based_t = market_based_t - 0.000001",
        "matched_wh = matched_wh + 1, residual_wh = residual_wh - 1",
        "inputs = replace(inputs, '\"watts\":67000', '\"watts\":66000')",
        "sha256 = repeat('0', 64)",
    ],
)
def test_a_forged_statement_is_found(change):
    statement = _issue(settled_day())
    with connection.cursor() as cursor:
        table = "settlement_emissionstatement"
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET {change}")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    with pytest.raises(CommandError):
        _verify(statement)


def test_a_reading_is_spread_over_its_hours_without_loss():
    readings = [(0, 10_800, 1_000), (10_800, 14_400, 7)]
    pieces = [energy_between(readings, hour * 3600, hour * 3600 + 3600) for hour in range(4)]

    assert pieces == [333, 334, 333, 7]
    assert energy_between(readings, 14_400, 18_000) is None
    assert energy_between(readings, 13_000, 15_000) is None
