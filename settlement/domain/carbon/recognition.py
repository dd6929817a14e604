"""Mutual recognition of retired credits (R7–R13): eligibility, caps, whole credits, tonnes.

Retire at source, then recognise: nothing here moves a unit. Recognition is never chained (R19): an
agreement is tried only for units of its own registry and only towards its own scheme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_money
from settlement.domain.carbon.energy import (
    RATIO_PLACES,
    TONNE_PLACES,
    ceil_quotient,
    ceil_tonnes,
    floor_quotient,
    floor_tonnes,
)
from settlement.domain.carbon.errors import (
    AdjustmentRequired,
    AgreementNotInForce,
    CapExceeded,
    CarbonRuleBroken,
    CreditInvalidated,
    InstrumentNotEligible,
    NoAgreement,
    VintageOutOfWindow,
)
from settlement.domain.carbon.serials import SerialRange

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """One version of one direction of an agreement, with what its caps leave.

    Attributes:
        code: the agreement's code.
        version: the pinned version.
        from_registry: registry whose retired units are taken.
        to_scheme: scheme in which they count.
        instrument_types: types that are taken.
        programmes: programmes that are taken; empty means all of these types.
        vintage_min: first vintage year (R12).
        vintage_max: last vintage year.
        k: factor, above 0 and at most 1.
        discount: at least 0 and below 1.
        relative_cap: share of the statement's market-based tonnes (R8); None for no such cap.
        absolute_left: tonnes left of the period's cap; None for no such cap.
        party_left: tonnes left of the party's cap; None for no such cap.
        valid_from: first day, UTC+8 (R13).
        valid_to: last day, inclusive.
        priority: lower is tried first (R15).
        adjustment_required: whether a unit needs a corresponding adjustment.
        is_active: approved and not suspended.

    Raises:
        ValueError: when a figure is outside these bounds.
    """

    code: str
    from_registry: str
    to_scheme: str
    instrument_types: frozenset[str]
    vintage_min: int
    vintage_max: int
    valid_from: date
    valid_to: date
    version: int = 1
    programmes: frozenset[str] = frozenset()
    k: Decimal = Decimal(1)
    discount: Decimal = _ZERO
    relative_cap: Decimal | None = None
    absolute_left: Decimal | None = None
    party_left: Decimal | None = None
    priority: int = 1
    adjustment_required: bool = False
    is_active: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.k <= 1 or not 0 <= self.discount < 1:
            raise ValueError("0 < k <= 1 and 0 <= discount < 1")
        for figure in (self.k, self.discount):
            if figure != round_money(figure, RATIO_PLACES):
                raise ValueError("factor and discount have at most 4 decimals")

    @property
    def tonnes_per_credit(self) -> Decimal:
        """Recognised tonnes per credit, f = k × (1 − d) (R7), exact."""
        return multiply_exactly(self.k, add_exactly([Decimal(1), -self.discount]))

    def cap_room(self, market_based_t: Decimal) -> Decimal | None:
        """Return what the tightest cap leaves (R8), floored to grams; None when there is none."""
        rooms = [room for room in (self.absolute_left, self.party_left) if room is not None]
        if self.relative_cap is not None:
            rooms.append(multiply_exactly(self.relative_cap, market_based_t))
        return max(_ZERO, floor_tonnes(min(rooms))) if rooms else None


@dataclass(frozen=True, slots=True)
class CreditBlock:
    """Credits of one batch in one hand.

    Attributes:
        batch: the caller's key of the batch.
        registry: where the units live and die.
        programme: programme under which they were issued.
        instrument_type: such as `SINK_REMOVAL`.
        vintage: vintage year.
        serials: the units.
        adjustment_done: whether a corresponding adjustment is recorded.
        is_invalidated: whether the registry took them back.
    """

    batch: str
    registry: str
    programme: str
    instrument_type: str
    vintage: int
    serials: SerialRange
    adjustment_done: bool = False
    is_invalidated: bool = False


@dataclass(frozen=True, slots=True)
class RefusedCredits:
    """A block that an agreement does not take, with the code of the rule."""

    agreement: str
    block: CreditBlock
    code: str


@dataclass(frozen=True, slots=True)
class RecognitionLine:
    """What one agreement gives (R7–R10); tonnes with 6 decimals.

    Attributes:
        agreement: code of the agreement.
        version: its pinned version.
        cap_room_t: room before this line; None without a cap.
        needed: credits that would cover the need.
        allowed: credits that fit the cap; None without a cap.
        available: eligible credits held.
        credits: credits to retire, the least of the three.
        used: parts of blocks, in order of use (R15).
        recognised_t: tonnes the credits are worth, floored.
        applied_t: the part that covers need, floored (R9).
        cap_usage_t: what the caps lose, ceiled (R10).
        need_before_t: need that the line met.
    """

    agreement: str
    version: int
    cap_room_t: Decimal | None
    needed: int
    allowed: int | None
    available: int
    credits: int
    used: tuple[CreditBlock, ...]
    recognised_t: Decimal
    applied_t: Decimal
    cap_usage_t: Decimal
    need_before_t: Decimal

    @property
    def over_coverage_t(self) -> Decimal:
        """Recognised beyond the need; it is not banked (R9)."""
        return add_exactly([self.recognised_t, -self.applied_t])

    @property
    def residual_t(self) -> Decimal:
        """Need that this line leaves."""
        return add_exactly([self.need_before_t, -self.applied_t])


@dataclass(frozen=True, slots=True)
class RecognitionPlan:
    """Lines in order of priority, and what they leave of the need."""

    need_t: Decimal
    lines: tuple[RecognitionLine, ...]
    refused: tuple[RefusedCredits, ...]
    left: tuple[CreditBlock, ...]

    @property
    def applied_t(self) -> Decimal:
        """Tonnes applied over all lines."""
        return add_exactly(line.applied_t for line in self.lines)

    @property
    def net_residual_t(self) -> Decimal:
        """Need minus applied tonnes, never below zero."""
        return add_exactly([self.need_t, -self.applied_t])


def refusal_of(
    terms: AgreementTerms, block: CreditBlock, *, scheme: str, on: date
) -> type[CarbonRuleBroken] | None:
    """Return the rule that keeps a block from being recognised, or nothing.

    Args:
        terms: the agreement.
        block: the credits.
        scheme: scheme of the statement; only an agreement towards it counts (R19).
        on: day of retirement in UTC+8.
    """
    if terms.from_registry != block.registry or terms.to_scheme != scheme:
        return NoAgreement
    if not terms.is_active or not terms.valid_from <= on <= terms.valid_to:
        return AgreementNotInForce
    if block.is_invalidated:
        return CreditInvalidated
    takes_programme = not terms.programmes or block.programme in terms.programmes
    if block.instrument_type not in terms.instrument_types or not takes_programme:
        return InstrumentNotEligible
    if not terms.vintage_min <= block.vintage <= terms.vintage_max:
        return VintageOutOfWindow
    if terms.adjustment_required and not block.adjustment_done:
        return AdjustmentRequired
    return None


def check_eligible(terms: AgreementTerms, block: CreditBlock, *, scheme: str, on: date) -> None:
    """Refuse a block that the agreement does not take.

    Raises:
        CarbonRuleBroken: NoAgreement, AgreementNotInForce, CreditInvalidated,
            InstrumentNotEligible, VintageOutOfWindow or AdjustmentRequired.
    """
    refusal = refusal_of(terms, block, scheme=scheme, on=on)
    if refusal is not None:
        raise refusal(agreement=terms.code, batch=block.batch, vintage=block.vintage)


def measure_credits(
    terms: AgreementTerms,
    *,
    used: Sequence[CreditBlock],
    need_t: Decimal,
    market_based_t: Decimal,
    available: int | None = None,
) -> RecognitionLine:
    """Return what exactly these credits are worth (R7–R10).

    Args:
        terms: the agreement with what its caps leave now.
        used: the credits that die.
        need_t: need not yet covered.
        market_based_t: market-based tonnes of the statement.
        available: eligible credits held; those used when not given.

    Raises:
        CapExceeded: their use is more than the tightest cap leaves.
    """
    credits = sum(block.serials.count for block in used)
    per_credit = terms.tonnes_per_credit
    worth = multiply_exactly(credits, per_credit)
    room, usage = terms.cap_room(market_based_t), ceil_tonnes(worth)
    if room is not None and usage > room:
        raise CapExceeded(agreement=terms.code, room_t=room, usage_t=usage)
    return RecognitionLine(
        agreement=terms.code,
        version=terms.version,
        cap_room_t=room,
        needed=ceil_quotient(need_t, per_credit),
        allowed=None if room is None else floor_quotient(room, per_credit),
        available=credits if available is None else available,
        credits=credits,
        used=tuple(used),
        recognised_t=floor_tonnes(worth),
        applied_t=floor_tonnes(min(worth, need_t)),
        cap_usage_t=usage,
        need_before_t=need_t,
    )


def plan_recognition(
    need_t: Decimal,
    agreements: Iterable[AgreementTerms],
    holdings: Iterable[CreditBlock],
    *,
    market_based_t: Decimal,
    scheme: str,
    on: date,
) -> RecognitionPlan:
    """Try the agreements by priority until the need is covered (R7–R15).

    The order in which agreements and holdings are given makes no difference.

    Args:
        need_t: tonnes to cover, 6 decimals: the market-based result less what is applied already.
        agreements: terms towards the scheme, with what their caps leave.
        holdings: free credits of the party.
        market_based_t: market-based tonnes of the statement, the base of relative caps.
        scheme: scheme of the statement.
        on: day of retirement in UTC+8.

    Raises:
        ValueError: when the need is below zero or finer than a gram.
    """
    if need_t < 0 or need_t != round_money(need_t, TONNE_PLACES):
        raise ValueError("a need is tonnes with at most 6 decimals, never below zero")
    left = sorted(holdings, key=_order)
    lines: list[RecognitionLine] = []
    refused: list[RefusedCredits] = []
    residual = need_t
    for terms in sorted(agreements, key=lambda item: (item.priority, item.code, item.version)):
        if terms.to_scheme != scheme:
            continue
        eligible, turned_down = _sift(terms, left, scheme=scheme, on=on)
        refused.extend(turned_down)
        line, left = _draw(terms, left, eligible, need_t=residual, market_based_t=market_based_t)
        lines.append(line)
        residual = line.residual_t
    return RecognitionPlan(need_t, tuple(lines), tuple(refused), tuple(left))


def _sift(
    terms: AgreementTerms, blocks: list[CreditBlock], *, scheme: str, on: date
) -> tuple[list[CreditBlock], list[RefusedCredits]]:
    eligible: list[CreditBlock] = []
    refused: list[RefusedCredits] = []
    for block in blocks:
        if block.registry != terms.from_registry:
            continue
        refusal = refusal_of(terms, block, scheme=scheme, on=on)
        if refusal is None:
            eligible.append(block)
        else:
            refused.append(RefusedCredits(terms.code, block, refusal.code))
    return eligible, refused


def _draw(
    terms: AgreementTerms,
    blocks: list[CreditBlock],
    eligible: list[CreditBlock],
    *,
    need_t: Decimal,
    market_based_t: Decimal,
) -> tuple[RecognitionLine, list[CreditBlock]]:
    """Take the credits of one agreement; return its line and the blocks left."""
    available = sum(block.serials.count for block in eligible)
    room, per_credit = terms.cap_room(market_based_t), terms.tonnes_per_credit
    wanted = min(ceil_quotient(need_t, per_credit), available)
    if room is not None:
        wanted = min(wanted, floor_quotient(room, per_credit))
    used: list[CreditBlock] = []
    left: list[CreditBlock] = []
    chosen = set(eligible)
    for block in blocks:
        if not wanted or block not in chosen:
            left.append(block)
            continue
        lower, upper = block.serials.split_lowest(min(wanted, block.serials.count))
        wanted -= lower.count
        used.append(_with_serials(block, lower))
        if upper is not None:
            left.append(_with_serials(block, upper))
    line = measure_credits(
        terms, used=used, need_t=need_t, market_based_t=market_based_t, available=available
    )
    return line, left


def _with_serials(block: CreditBlock, serials: SerialRange) -> CreditBlock:
    return CreditBlock(
        batch=block.batch,
        registry=block.registry,
        programme=block.programme,
        instrument_type=block.instrument_type,
        vintage=block.vintage,
        serials=serials,
        adjustment_done=block.adjustment_done,
        is_invalidated=block.is_invalidated,
    )


def _order(block: CreditBlock) -> tuple[int, str, str, SerialRange]:
    return block.vintage, block.registry, block.batch, block.serials
