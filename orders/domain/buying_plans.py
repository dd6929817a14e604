"""Three ways to buy the same work: the cheapest, the soonest and the greenest.

Pure: the candidates come from `orders.selectors.buying_plans`. The rule, with a worked example:
`docs/explanation/buying-plans.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from enum import Enum
from typing import Any

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import round_quotient
from orders.domain.price_chance import PRICE_PLACES, share_at_most


class PlanKind(Enum):
    """What a plan is best at."""

    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    GREENEST = "greenest"


# Of ten recent auctions, so many should have been within the limit a plan proposes.
WANTED_SHARE = {
    PlanKind.CHEAPEST: Decimal("0.75"),
    PlanKind.FASTEST: Decimal(1),
    PlanKind.GREENEST: Decimal("0.9"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One hub that could serve the work in one window of one auction.

    Attributes:
        auction: code of the auction.
        hub: code of the supply hub.
        rtt_ms: round trip from the place of consumption.
        first_period: first period of the window, counted from 1.
        last_period: last period, inclusive.
        starts_at: start of the window.
        samples: what the window would have cost from that hub in each recent auction, CNY per unit
            and hour, 不含税, transport included; at least one.
        grams: declared carbon of the window's hours, g per unit-hour; None when nothing is
            declared.
        class_grams: what holds in every hour and so decides the carbon class; None when nothing
            is declared.
    """

    auction: str
    hub: str
    rtt_ms: Decimal
    first_period: int
    last_period: int
    starts_at: datetime
    samples: tuple[Decimal, ...]
    grams: Decimal | None
    class_grams: Decimal | None = None

    @property
    def expected_price(self) -> Decimal:
        """Mean of the samples, CNY per unit and hour."""
        return round_quotient(add_exactly(self.samples), len(self.samples), PRICE_PLACES)


@dataclass(frozen=True, slots=True)
class Plan:
    """A candidate with the limit to bid.

    Attributes:
        kind: what it is best at.
        candidate: hub and window.
        limit_price: CNY per unit and hour, 不含税, on the product's tick and within its band.
        chance: share of recent auctions whose price was within the limit.
    """

    kind: PlanKind
    candidate: Candidate
    limit_price: Decimal
    chance: Decimal


def choose_plans(
    candidates: Sequence[Candidate], *, tick: Decimal, price_min: Decimal, price_max: Decimal
) -> list[Plan]:
    """Return the best candidate of each kind, in the order of `PlanKind`.

    Ties go to the lower price, the earlier start, the nearer hub, then to names, so that the same
    data give the same plans. Without declared carbon there is no greenest plan.
    """
    plans = []
    for kind in PlanKind:
        eligible = [c for c in candidates if kind is not PlanKind.GREENEST or c.grams is not None]
        if eligible:
            best = min(eligible, key=_KEYS[kind])
            plans.append(_plan(kind, best, tick=tick, price_min=price_min, price_max=price_max))
    return plans


def limit_for(
    samples: Iterable[Decimal],
    wanted: Decimal,
    *,
    tick: Decimal,
    price_min: Decimal,
    price_max: Decimal,
) -> Decimal:
    """Return the lowest price on the tick that at least the wanted share of samples reach.

    Args:
        samples: prices of recent auctions; at least one.
        wanted: share, above 0 and at most 1.
        tick: the product's price tick.
        price_min: the product's lowest price.
        price_max: the product's highest price.
    """
    ordered = sorted(samples)
    # The smallest sample with at least that share at or below it.
    rank = _steps_up(wanted * len(ordered), Decimal(1))
    price = ordered[max(rank, 1) - 1]
    on_tick = _steps_up(price, tick) * tick
    return min(max(on_tick, price_min), price_max)


def _steps_up(value: Decimal, step: Decimal) -> int:
    # The floor division of decimals rounds towards zero, so a ceiling is asked for by name.
    return int((value / step).to_integral_value(rounding=ROUND_CEILING))


def _plan(
    kind: PlanKind, best: Candidate, *, tick: Decimal, price_min: Decimal, price_max: Decimal
) -> Plan:
    limit = limit_for(
        best.samples, WANTED_SHARE[kind], tick=tick, price_min=price_min, price_max=price_max
    )
    chance = share_at_most(best.samples, limit)
    return Plan(kind, best, limit, chance if chance is not None else Decimal(0))


def _names(candidate: Candidate) -> tuple[Any, ...]:
    return (candidate.rtt_ms, candidate.hub, candidate.auction)


def _cheapest(candidate: Candidate) -> tuple[Any, ...]:
    return (candidate.expected_price, candidate.starts_at, *_names(candidate))


def _fastest(candidate: Candidate) -> tuple[Any, ...]:
    return (candidate.starts_at, candidate.expected_price, *_names(candidate))


def _greenest(candidate: Candidate) -> tuple[Any, ...]:
    grams = candidate.grams if candidate.grams is not None else Decimal("Infinity")
    return (grams, candidate.expected_price, candidate.starts_at, *_names(candidate))


_KEYS: dict[PlanKind, Callable[[Candidate], tuple[Any, ...]]] = {
    PlanKind.CHEAPEST: _cheapest,
    PlanKind.FASTEST: _fastest,
    PlanKind.GREENEST: _greenest,
}
