"""What follows the settled day: the rest of a month of settlement and carbon."""

from collections.abc import Callable

from config.demo import (
    banking,
    carbon,
    cases,
    contracts,
    corrections,
    defaults,
    green_supply,
    recognition,
    registry,
)
from config.demo.cast import Cast, gather_cast
from config.demo.stage import Stage

# In the order of a month: what changes bills comes before what pays and states them.
EPISODES: tuple[Callable[[Cast, Stage], list[str]], ...] = (
    corrections.play_corrections,
    cases.play_cases,
    defaults.play_default,
    banking.play_banking,
    contracts.play_contracts,
    registry.play_registry,
    green_supply.play_green_supply,
    carbon.play_carbon,
    recognition.play_recognition,
)


def play_month(stage: Stage) -> None:
    """Let the members and the market's finance staff do what a month brings, and tell it."""
    stage.say("结算与碳 settlement and carbon of the month")
    cast = gather_cast()
    for play in EPISODES:
        for line in play(cast, stage):
            stage.say(f"  {line}")
        stage.watch()
