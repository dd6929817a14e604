"""Registry files with one bad line: refused whole, with the line and its code."""

from tests.api.refusing import Ask, reaches
from tests.api.registry_stage import FILED_SERIAL, Stage
from tests.factories.registry import make_project


def beside_a_good_line(**changes: str) -> Ask:
    """Return a file whose second line of two is changed."""
    stage = Stage()
    make_project(registry="CCER", native_id="CP-1")
    other = {"issuance_id": "F-2", "first_serial": FILED_SERIAL(10), "units": "5"}
    return stage.file(
        stage.line(), stage.line(**{**other, "last_serial": FILED_SERIAL(14), **changes})
    )


def at_the_second_word(**changes: str) -> tuple[Ask, Ask]:
    """Return two files with a changed line that reads well, to be taken over."""
    stage = Stage()
    return tuple(  # type: ignore[return-value]
        stage.confirmation(
            stage.line(
                **{
                    "issuance_id": f"F-{number}",
                    "first_serial": FILED_SERIAL(number),
                    "last_serial": FILED_SERIAL(number + 8),
                    **changes,
                }
            )
        )
        for number in (100, 200)
    )


@reaches("SERIAL_RANGE_OVERLAP", line=3)
def serials_of_another_line() -> Ask:
    return beside_a_good_line(first_serial=FILED_SERIAL(9), units="6")


@reaches("SERIAL_RANGE_OVERLAP", line=2)
def serials_of_an_earlier_file() -> Ask:
    stage = Stage()
    assert stage.confirmation(stage.line()).send("en").status_code == 200
    return stage.file(stage.line(issuance_id="F-2"))


@reaches("SERIAL_RANGE_OVERLAP", line=2)
def serials_taken_over_meanwhile() -> tuple[Ask, Ask]:
    stage = Stage()
    late = tuple(
        stage.confirmation(stage.line(issuance_id=f"F-{number}", holder=member.organisation.code))
        for number, member in ((2, stage.actor), (3, stage.other))
    )
    assert stage.confirmation(stage.line()).send("en").status_code == 200
    return late  # type: ignore[return-value]


@reaches("SERIAL_MALFORMED", line=3)
def a_serial_in_small_letters() -> Ask:
    return beside_a_good_line(first_serial=FILED_SERIAL(10).lower())


@reaches("SERIAL_MALFORMED", line=3)
def a_serial_that_is_too_short() -> Ask:
    return beside_a_good_line(last_serial=FILED_SERIAL(14)[:-1])


@reaches("SERIAL_FOREIGN", line=2)
def a_serial_of_another_registry() -> Ask:
    stage = Stage()
    make_project(registry="CCER", native_id="CP-1")
    line = stage.line(project="CP-1", programme="OFFSHORE-WIND", metered_mwh="")
    return stage.file(line, registry="CCER")


@reaches("SERIAL_FOREIGN", line=3)
def a_project_of_another_registry() -> Ask:
    return beside_a_good_line(project="CP-1")


@reaches("SERIALS_OUT_OF_ORDER", line=3)
def fewer_serials_than_units() -> Ask:
    return beside_a_good_line(units="6")


@reaches("SERIALS_OUT_OF_ORDER", line=3)
def serials_that_run_backwards() -> Ask:
    return beside_a_good_line(first_serial=FILED_SERIAL(14), last_serial=FILED_SERIAL(10))


@reaches("CERTIFICATE_EXPIRED", line=3)
def certificates_past_their_last_day() -> Ask:
    return beside_a_good_line(period_start="2024-10", period_end="2024-10-31")


@reaches("cell_unreadable", line=3)
def a_month_that_is_none() -> Ask:
    return beside_a_good_line(period_start="2026-13")


@reaches("holder_unknown", line=3)
def a_holder_nobody_knows() -> Ask:
    return beside_a_good_line(holder="NOBODY")


@reaches("issuance_known", line=3)
def the_same_issue_twice() -> Ask:
    return beside_a_good_line(issuance_id="F-1")


@reaches("metered_energy_missing", line=2)
def certificates_without_metered_energy() -> tuple[Ask, Ask]:
    return at_the_second_word(metered_mwh="")


@reaches("metered_energy_differs", line=2)
def another_figure_for_the_same_month() -> tuple[Ask, Ask]:
    return at_the_second_word(period_start="2026-03", period_end="2026-03-31", metered_mwh="999")


@reaches("MWH_ALREADY_CLAIMED", line=2)
def more_certificates_than_energy() -> tuple[Ask, Ask]:
    return at_the_second_word(metered_mwh="8")
