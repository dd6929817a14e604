"""Parts of a book: groups of periods that several processes clear, each for itself.

Beside nothing indivisible the periods of a book do not touch each other. What a process finds for
its periods is handed on as bytes that hold every figure exactly, so that the result does not depend
on who found it.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Sequence
from decimal import localcontext
from itertools import pairwise

import numpy as np

from orders.clearing.bundle import bundle_sha256
from orders.clearing.errors import PartRefused
from orders.clearing.market import build_market
from orders.clearing.merit_order import build_merit_order, offered_lots, step_lots
from orders.clearing.money_unit import money_unit
from orders.clearing.period_clearing import PeriodModel
from orders.clearing.period_solution import PeriodSolution, PeriodStart
from orders.clearing.schema import ENGINE_VERSION
from orders.clearing.state import Book
from orders.clearing.types import Auction, FloatArray, IntArray
from orders.clearing.validation import DECIMAL_DIGITS

_FORMAT = "hengsuan part 1"
_LEVEL = 1
# In this order in the bytes; a type is that of the bytes.
_FIELDS = {
    "step_lots": "<f8",
    "arc_lots": "<f8",
    "node_price": "<f8",
    "rent": "<f8",
    "welfare": "<f8",
    "full": "<i4",
    "centre": "<f8",
    "width": "<i8",
    "arcs": "<i4",
    "column_basis": "u1",
    "row_basis": "u1",
}


def split(auction: Auction, count: int) -> tuple[range, ...]:
    """Return at most `count` groups of successive periods with about as many curve rows each."""
    periods = auction.terms.periods
    # A period costs something without any rows too.
    weight = 1 + np.bincount(auction.curves.period, minlength=periods)
    before = np.concatenate([[0], np.cumsum(weight)])
    wanted = before[-1] * np.arange(1, count) / count
    cuts = np.searchsorted(before, wanted)
    bounds = sorted({0, *cuts.tolist(), periods})
    return tuple(range(first, end) for first, end in pairwise(bounds))


class PartClearer:
    """A book opened to clear parts of it: opening it once serves for several."""

    def __init__(self, auction: Auction, sha256: str = "") -> None:
        """Lay out the network and the steps.

        Args:
            auction: the frozen book.
            sha256: its hash, where that is known; a wrong one makes parts nobody accepts.
        """
        self._sha256 = sha256 or bundle_sha256(auction)
        with localcontext() as context:
            context.prec = DECIMAL_DIGITS
            self._market = build_market(auction)
            self._merit = build_merit_order(self._market)
            self._unit = money_unit(self._market)
        self._lots = step_lots(self._merit, offered_lots(auction, {}))

    def clear(self, periods: Iterable[int]) -> bytes:
        """Clear what is divisible in some periods, for `clear` to go on from.

        Raises:
            SolverFailed: the linear programme had no answer, which a valid auction never causes.
        """
        return _written({period: self._begin(period) for period in periods}, self._sha256)

    def _begin(self, period: int) -> PeriodStart:
        model = PeriodModel(self._market, self._merit, period, self._unit)
        return model.begin(self._lots[model.steps])


def clear_part(auction: Auction, periods: Iterable[int]) -> bytes:
    """Clear what is divisible in some periods of a book, for `clear` to go on from."""
    return PartClearer(auction).clear(periods)


def read_parts(parts: Sequence[bytes], book: Book, sha256: str) -> dict[int, PeriodStart]:
    """Return what parts hold, by period.

    Raises:
        PartRefused: a part is damaged, of another book or engine, or a period comes twice.
    """
    found: dict[int, PeriodStart] = {}
    for part in parts:
        own = _read(part, sha256)
        if not own.keys().isdisjoint(found):
            raise PartRefused("two parts hold the same period")
        found |= own
    for period, start in found.items():
        if not 0 <= period < len(book.models) or not _fits(start, book, book.models[period]):
            raise PartRefused(f"period {period + 1}: not one of this book")
    return found


def _fits(start: PeriodStart, book: Book, model: PeriodModel) -> bool:
    nodes, arcs, links = len(book.market.nodes), len(book.market.arcs.start), len(model.capacity)
    solution = start.solution
    sizes = [
        (solution.step_lots, model.step_count),
        (solution.arc_lots, arcs),
        (solution.node_price, nodes),
        (solution.rent, links),
        (start.centre, nodes),
        (start.width, nodes),
        (start.row_basis, nodes + links),
    ]
    return all(len(own) == size for own, size in sizes)


def _written(starts: dict[int, PeriodStart], sha256: str) -> bytes:
    rows = [_columns(start) for start in starts.values()]
    body = b"".join(
        row[name].astype(kind).tobytes() for row in rows for name, kind in _FIELDS.items()
    )
    head = {
        "format": _FORMAT,
        "engine_version": ENGINE_VERSION,
        "bundle_sha256": sha256,
        "periods": list(starts),
        "sizes": [[len(row[name]) for name in _FIELDS] for row in rows],
    }
    rest = json.dumps(head, sort_keys=True).encode() + b"\n" + zlib.compress(body, _LEVEL)
    return _seal(rest) + rest


def _seal(rest: bytes) -> bytes:
    return f"{hashlib.sha256(rest).hexdigest()}\n".encode()


def _columns(start: PeriodStart) -> dict[str, FloatArray | IntArray]:
    found = vars(start) | vars(start.solution) | {"welfare": np.array([start.solution.welfare])}
    return {name: found[name] for name in _FIELDS}


def _read(part: bytes, sha256: str) -> dict[int, PeriodStart]:
    seal, _, rest = part.partition(b"\n")
    if seal + b"\n" != _seal(rest):
        raise PartRefused("a part is damaged")
    line, _, packed = rest.partition(b"\n")
    try:
        head = json.loads(line)
        body = zlib.decompress(packed)
    except (ValueError, zlib.error) as error:
        raise PartRefused("a part cannot be read") from error
    if head["format"] != _FORMAT:
        raise PartRefused("a part cannot be read")
    if head["engine_version"] != ENGINE_VERSION:
        raise PartRefused(f"a part was cleared by engine {head['engine_version']}")
    if head["bundle_sha256"] != sha256:
        raise PartRefused("a part belongs to another book")
    starts, place = {}, 0
    for period, sizes in zip(head["periods"], head["sizes"], strict=True):
        columns = {}
        for (name, kind), size in zip(_FIELDS.items(), sizes, strict=True):
            columns[name] = np.frombuffer(body, kind, size, place)
            place += columns[name].nbytes
        starts[period] = _start(columns)
    return starts


def _start(columns: dict[str, FloatArray | IntArray]) -> PeriodStart:
    """Return a start with the types that a solve gives."""
    floats = {name: own.astype(np.float64) for name, own in columns.items()}
    whole = {name: own.astype(np.int64) for name, own in columns.items() if own.dtype.kind != "f"}
    return PeriodStart(
        solution=PeriodSolution(
            step_lots=floats["step_lots"],
            arc_lots=floats["arc_lots"],
            node_price=floats["node_price"],
            rent=floats["rent"],
            full=whole["full"],
            welfare=float(floats["welfare"][0]),
        ),
        centre=floats["centre"],
        width=whole["width"],
        arcs=whole["arcs"],
        column_basis=whole["column_basis"],
        row_basis=whole["row_basis"],
    )
