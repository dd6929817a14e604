"""Units that do not move as asked: registries, holdings, reservations, duties."""

from datetime import UTC, datetime, timedelta

from settlement.services.registry.disputes import lock_units
from settlement.services.registry.expiring import expire_units
from tests.api.callers import browser_of
from tests.api.refusing import Ask, reaches
from tests.api.registry_stage import Stage
from tests.factories.registry import NOW, block, holder, keeper
from tests.factories.settlement import move_clock

BEFORE_RULES = datetime(2024, 9, 1, tzinfo=UTC)


@reaches("SERIAL_RANGE_OVERLAP")
def ranges_that_share_a_serial() -> Ask:
    stage = Stage()
    twice = stage.ranges(stage.gec, 1, 5) + stage.ranges(stage.gec, 5, 6)
    return stage.retirement(stage.gec, ranges=twice)


@reaches("SERIAL_RANGE_OVERLAP")
def credits_that_were_issued_before() -> Ask:
    stage = Stage()
    assert stage.register().status_code == 200
    assert stage.credit(60, 34).status_code == 201
    return stage.crediting(40, 22, issuance_id="C-2")


@reaches("issuance_known")
def credits_under_a_known_id() -> Ask:
    stage = Stage()
    assert stage.register().status_code == 200
    assert stage.credit(60, 34).status_code == 201
    serials = {"first_serial": "CCER-Y-001", "last_serial": "CCER-Y-022"}
    return stage.crediting(40, 22, **serials)


@reaches("SERIALS_OUT_OF_ORDER")
def credits_that_run_backwards() -> Ask:
    stage = Stage()
    assert stage.register().status_code == 200
    return stage.crediting(60, 34, first_serial="CCER-X-035")


@reaches("SERIAL_ALREADY_RETIRED")
def retired_before() -> Ask:
    stage = Stage()
    assert stage.retire(stage.gec).status_code == 201
    return stage.retirement(stage.gec, 10, 11)


@reaches("INSUFFICIENT_HELD")
def locked_by_a_dispute() -> Ask:
    stage = Stage()
    lock_units(
        actor=keeper(),
        ranges=[block(stage.gec, 3, 4)],
        holder=stage.actor.organisation,
        reason="争议",
    )
    return stage.handing_on(stage.gec)


@reaches("INSUFFICIENT_HELD")
def outside_the_batch() -> Ask:
    stage = Stage()
    return stage.retirement(stage.gec, 100, 101)


@reaches("NOT_OWNER", status=403)
def of_somebody_else() -> Ask:
    stage = Stage()
    return stage.retirement(stage.gec, caller=stage.others)


@reaches("RESERVATION_EXPIRED")
def a_reservation_whose_time_is_over() -> Ask:
    stage = Stage()
    made = stage.setting_aside((NOW + timedelta(hours=1)).isoformat()).send("en")
    late = NOW + timedelta(hours=2)
    move_clock(late)
    expire_units(late)
    return stage.handing_on(stage.ccer, reservation=made.json()["id"])


@reaches("INSTRUMENT_NOT_ELIGIBLE")
def credits_for_green_power() -> Ask:
    stage = Stage()
    return stage.retirement(stage.ccer, purpose="green_power")


@reaches("CERTIFICATE_EXPIRED")
def after_the_last_valid_day() -> Ask:
    stage = Stage()
    move_clock(datetime(2028, 3, 1, tzinfo=UTC))
    return stage.retirement(stage.gec)


@reaches("CERTIFICATE_FROZEN")
def of_a_registered_project() -> Ask:
    stage = Stage()
    assert stage.register().status_code == 200
    return stage.handing_on(stage.gec)


@reaches("PRODUCTION_YEAR_MISMATCH")
def for_another_year() -> Ask:
    stage = Stage()
    return stage.retirement(stage.gec, claim_month="2025-12-01")


@reaches("MWH_ALREADY_CLAIMED")
def energy_that_is_sold() -> Ask:
    stage = Stage()
    assert stage.transfer(stage.gec, 1, 40).status_code == 201
    assert stage.register().status_code == 200
    return stage.crediting(61, 34)


@reaches("MWH_ALREADY_CLAIMED")
def certificates_that_credits_replaced() -> Ask:
    stage = Stage()
    assert stage.register().status_code == 200
    assert stage.credit(60, 34).status_code == 201
    return stage.retirement(stage.gec, 1, 60)


@reaches("CREDIT_INVALIDATED")
def taken_back_by_the_registry() -> Ask:
    stage = Stage()
    assert stage.invalidation(stage.ccer).send("en").status_code == 201
    return stage.retirement(stage.ccer, 10, 11)


@reaches("same_holder")
def to_oneself() -> Ask:
    stage = Stage()
    return stage.handing_on(stage.ccer, to_organisation=stage.actor.organisation.code)


@reaches("transfer_limit_reached")
def certificates_sold_on() -> Ask:
    stage = Stage()
    assert stage.transfer(stage.gec).status_code == 201
    third = holder().organisation.code
    return stage.handing_on(stage.gec, caller=stage.others, to_organisation=third)


@reaches("reservation_in_past")
def aside_until_yesterday() -> Ask:
    return Stage().setting_aside((NOW - timedelta(days=1)).isoformat())


@reaches("claim_month_in_future")
def for_a_month_to_come() -> Ask:
    stage = Stage()
    return stage.retirement(stage.gec, claim_month="2026-12-01")


@reaches("credits_do_not_fit")
def more_serials_than_the_energy_gives() -> Ask:
    stage = Stage()
    assert stage.register().status_code == 200
    return stage.crediting(60, 35)


@reaches("no_registry_rules")
def registered_before_any_rules() -> Ask:
    return Stage(BEFORE_RULES).registration()


@reaches("no_registry_rules")
def credited_before_any_rules() -> Ask:
    return Stage(BEFORE_RULES).crediting(60, 34)


@reaches("replacement_too_small")
def half_a_replacement() -> Ask:
    stage = Stage()
    assert stage.retire(stage.ccer).status_code == 201
    (duty,) = stage.invalidation(stage.ccer).send("en").json()["duties"]
    made = stage.retire(stage.ccer, 11, 15, purpose="replacement").json()["retirement"]
    path = f"replacement-duties/{duty['id']}/meet/"
    return Ask(browser_of(keeper()), path, {"retirement": made["id"]})
