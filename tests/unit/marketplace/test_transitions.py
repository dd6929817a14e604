from enum import StrEnum

import pytest

from marketplace.domain.transitions import TransitionNotAllowed, TransitionTable


class Light(StrEnum):
    OFF = "off"
    ON = "on"
    BROKEN = "broken"


TABLE = TransitionTable(
    Light, {Light.OFF: [Light.ON], Light.ON: [Light.OFF, Light.BROKEN], Light.BROKEN: []}
)


def test_an_allowed_transition_returns_the_target() -> None:
    assert TABLE.check("off", "on") is Light.ON
    assert TABLE.check(Light.ON, Light.BROKEN) is Light.BROKEN


@pytest.mark.parametrize(("source", "target"), [("off", "broken"), ("on", "on"), ("broken", "off")])
def test_other_transitions_are_refused(source: str, target: str) -> None:
    with pytest.raises(TransitionNotAllowed) as refusal:
        TABLE.check(source, target)

    assert (refusal.value.source, refusal.value.target) == (source, target)
    assert refusal.value.code == "transition_not_allowed"
    assert not TABLE.is_allowed(source, target)


def test_an_unknown_state_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="glowing"):
        TABLE.check("off", "glowing")


def test_the_table_answers_both_ways() -> None:
    assert TABLE.targets("on") == {Light.OFF, Light.BROKEN}
    assert TABLE.sources("off") == {Light.ON}
    assert TABLE.is_final("broken")
    assert not TABLE.is_final("on")


def test_the_diagram_is_drawn_from_the_table() -> None:
    assert TABLE.diagram() == (
        "stateDiagram-v2\n    off --> on\n    on --> off\n    on --> broken\n    broken --> [*]\n"
    )


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({Light.OFF: [Light.ON], Light.ON: []}, "outside its table"),
        (
            {Light.OFF: [Light.ON], Light.ON: [Light.ON, Light.BROKEN], Light.BROKEN: []},
            "become themselves",
        ),
        ({Light.OFF: [Light.ON], Light.ON: [], Light.BROKEN: []}, "nothing leads to"),
    ],
)
def test_a_faulty_table_is_refused_when_it_is_defined(
    table: dict[Light, list[Light]], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        TransitionTable(Light, table)
