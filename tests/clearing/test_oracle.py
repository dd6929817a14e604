"""A slow oracle for tiny books: one hub, every choice of blocks tried."""

from itertools import product
from random import Random

import pytest

from orders.clearing import clear
from tests.clearing.books import Row, block, buy, sell, small_auction


class TinyBook:
    """Integer curves and fill-or-kill blocks over two periods at one hub."""

    def __init__(self, seed: int) -> None:
        pick = Random(seed)
        self.sells = {t: self._steps(pick, 1, 9) for t in (1, 2)}
        self.buys = {t: self._steps(pick, 2, 12) for t in (1, 2)}
        self.blocks = [
            (
                pick.choice(["buy", "buy", "sell"]),
                pick.randint(2, 9),
                {t: pick.randint(1, 6) for t in pick.choice([(1,), (2,), (1, 2)])},
            )
            for _ in range(4)
        ]

    @staticmethod
    def _steps(pick: Random, low: int, high: int) -> list[tuple[int, int]]:
        return [(pick.randint(low, high), pick.randint(1, 6)) for _ in range(pick.randint(2, 5))]

    def welfare(self) -> int:
        """Best welfare over all valid choices."""
        values = [self._try(chosen) for chosen in product((0, 1), repeat=len(self.blocks))]
        return max(value for value in values if value is not None)

    def _try(self, chosen: tuple[int, ...]) -> int | None:
        """Return the welfare of a choice if some prices let no accepted block lose."""
        accepted = [self.blocks[k] for k in range(len(chosen)) if chosen[k]]
        total, ranges = 0, {}
        for period in (1, 2):
            cleared = self._period(period, accepted)
            if cleared is None:
                return None
            total += cleared[0]
            ranges[period] = cleared[1:]
        for side, limit, legs in accepted:
            total += (limit if side == "buy" else -limit) * sum(legs.values())
        # Integer prices suffice: all data are integers and each block sees a sum of two ranges.
        grid = [[p / 2 for p in range(2 * ranges[t][0], 2 * ranges[t][1] + 1)] for t in (1, 2)]
        for first, second in product(*grid):
            prices = {1: first, 2: second}
            if all(self._gain(item, prices) >= 0 for item in accepted):
                return total
        return None

    @staticmethod
    def _gain(item: tuple[str, int, dict[int, int]], prices: dict[int, float]) -> float:
        side, limit, legs = item
        gain = sum((limit - prices[t]) * quantity for t, quantity in legs.items())
        return gain if side == "buy" else -gain

    def _period(
        self, period: int, accepted: list[tuple[str, int, dict[int, int]]]
    ) -> tuple[int, int, int] | None:
        """Return welfare of the curves and the range of clearing prices, by unit-sized orders."""
        supply = sorted(p for p, q in self.sells[period] for _ in range(q))
        demand = sorted((p for p, q in self.buys[period] for _ in range(q)), reverse=True)
        must_buy = sum(legs.get(period, 0) for side, _, legs in accepted if side == "buy")
        must_sell = sum(legs.get(period, 0) for side, _, legs in accepted if side == "sell")
        best: tuple[int, int, int] | None = None
        for sold in range(len(supply) + 1):
            bought = sold + must_sell - must_buy
            if not 0 <= bought <= len(demand):
                continue
            welfare = sum(demand[:bought]) - sum(supply[:sold])
            low = max([0, *supply[sold - 1 : sold], *demand[bought : bought + 1]])
            high = min([20, *supply[sold : sold + 1], *demand[max(bought - 1, 0) : bought]])
            if low <= high and (best is None or welfare > best[0]):
                best = (welfare, low, high)
        return best

    def engine_welfare(self) -> int:
        """Return what the engine reaches."""
        curves: list[Row] = []
        for period in (1, 2):
            for k, (price, quantity) in enumerate(self.sells[period]):
                curves.append(sell(f"s{period}{k}", str(price), quantity, period=period))
            for k, (price, quantity) in enumerate(self.buys[period]):
                curves.append(buy(f"b{period}{k}", str(price), quantity, period=period))
        blocks = [
            block(f"k{k}", side, str(limit), [("W", t, q) for t, q in legs.items()])
            for k, (side, limit, legs) in enumerate(self.blocks)
        ]
        return int(clear(small_auction(curves, *blocks, periods=2)).summary.welfare)


@pytest.mark.parametrize("seed", range(15))
def test_engine_reaches_the_best_valid_choice_of_a_tiny_book(seed: int) -> None:
    book = TinyBook(seed)

    assert book.engine_welfare() == book.welfare()
