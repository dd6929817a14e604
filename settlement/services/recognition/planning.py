"""Which credits cover a need, and under which agreement: freely chosen, named, or already retired.

Freely, the plan takes what the rules allow and leaves the rest aside. Units that a person names,
or that are retired already, are taken whole or refused whole, with the code of the first rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from marketplace.domain.decimals import add_exactly
from marketplace.domain.errors import RuleBroken, gettext_noop
from settlement.domain.carbon.errors import (
    CARBON_REFUSALS,
    CapExceeded,
    CarbonRuleBroken,
    InsufficientHeld,
    NoAgreement,
)
from settlement.domain.carbon.recognition import (
    CreditBlock,
    RecognitionLine,
    RecognitionPlan,
    measure_credits,
    plan_recognition,
    refusal_of,
)
from settlement.models import RetirementLine
from settlement.selectors.recognition.credits import RetiredBlock
from settlement.selectors.recognition.needs import StatementNeed
from settlement.services.recognition.caps import OpenAgreement

_BY_CODE = {refusal.code: refusal for refusal in CARBON_REFUSALS}


class MoreThanNeeded(RuleBroken):
    """Fewer credits would cover the need; nothing beyond it is banked."""

    code = "more_than_needed"
    message = gettext_noop("At most %(credits)s credits are needed for this statement.")
    status = 409


@dataclass(frozen=True)
class PlannedLine:
    """What one agreement gives, and the retirement lines if the units died before."""

    agreement: OpenAgreement
    line: RecognitionLine
    retired: tuple[RetirementLine, ...] = ()


def free_plan(
    need: StatementNeed,
    agreements: Sequence[OpenAgreement],
    holdings: Sequence[CreditBlock],
    *,
    on: date,
) -> RecognitionPlan:
    """Return what the rules make of a party's free credits, whatever it comes to."""
    return plan_recognition(
        need.need_t,
        [agreement.terms for agreement in agreements],
        holdings,
        market_based_t=need.market_based_t,
        scheme=need.scheme.code,
        on=on,
    )


def plan_freely(
    need: StatementNeed,
    agreements: Sequence[OpenAgreement],
    holdings: Sequence[CreditBlock],
    *,
    on: date,
) -> list[PlannedLine]:
    """Take what covers the need by priority, vintage and serial (R15).

    Raises:
        CarbonRuleBroken: no credit can be taken; the code says why.
    """
    plan = free_plan(need, agreements, holdings, on=on)
    by_code = {agreement.terms.code: agreement for agreement in agreements}
    lines = [PlannedLine(by_code[line.agreement], line) for line in plan.lines if line.credits]
    if not lines:
        raise _why_nothing(plan, agreements, holdings)
    return lines


def plan_chosen(
    need: StatementNeed,
    agreements: Sequence[OpenAgreement],
    blocks: Sequence[CreditBlock],
    *,
    on: date,
) -> list[PlannedLine]:
    """Take exactly the credits named, each under the first agreement that takes it.

    Raises:
        CarbonRuleBroken: a block is not eligible anywhere, or a cap is too small.
        MoreThanNeeded: fewer credits cover the need.
    """
    retired = [RetiredBlock(None, block) for block in blocks]  # type: ignore[arg-type]
    return _whole(need, agreements, retired, on=on)


def plan_retired(
    need: StatementNeed,
    agreements: Sequence[OpenAgreement],
    blocks: Sequence[RetiredBlock],
    *,
    on: date,
) -> list[PlannedLine]:
    """Take the lines of a retirement, all of them, each under the first agreement that takes it.

    Raises:
        CarbonRuleBroken, MoreThanNeeded: as for named credits.
    """
    return _whole(need, agreements, blocks, on=on)


def _whole(
    need: StatementNeed,
    agreements: Sequence[OpenAgreement],
    blocks: Sequence[RetiredBlock],
    *,
    on: date,
) -> list[PlannedLine]:
    ordered = sorted(agreements, key=lambda one: (one.terms.priority, one.terms.code))
    chosen: dict[str, list[RetiredBlock]] = {}
    for each in blocks:
        chosen.setdefault(_agreement_for(need, ordered, each.block, on=on), []).append(each)
    lines: list[PlannedLine] = []
    left = need.need_t
    for agreement in ordered:
        taken = sorted(chosen.get(agreement.terms.code, []), key=_order)
        if not taken:
            continue
        line = _measured(need, agreement, [each.block for each in taken], left)
        kept = tuple(each.line for each in taken if each.line is not None)
        lines.append(PlannedLine(agreement, line, kept))
        left = line.residual_t
    return lines


def _measured(
    need: StatementNeed, agreement: OpenAgreement, blocks: list[CreditBlock], left: Decimal
) -> RecognitionLine:
    line = measure_credits(
        agreement.terms, used=blocks, need_t=left, market_based_t=need.market_based_t
    )
    if line.credits > line.needed:
        raise MoreThanNeeded(credits=line.needed)
    return line


def _agreement_for(
    need: StatementNeed, ordered: Sequence[OpenAgreement], block: CreditBlock, *, on: date
) -> str:
    """Return the code of the first agreement that takes a block, else raise its nearest refusal."""
    nearest: type[CarbonRuleBroken] = NoAgreement
    for agreement in ordered:
        refusal = refusal_of(agreement.terms, block, scheme=need.scheme.code, on=on)
        if refusal is None:
            return agreement.terms.code
        if nearest is NoAgreement:
            nearest = refusal
    raise nearest(registry=block.registry, vintage=block.vintage, type=block.instrument_type)


def _why_nothing(
    plan: RecognitionPlan,
    agreements: Sequence[OpenAgreement],
    holdings: Sequence[CreditBlock],
) -> CarbonRuleBroken:
    if not holdings:
        return InsufficientHeld(asked=1, held=0)
    room_missing = [line for line in plan.lines if line.available and not line.allowed]
    if room_missing:
        line = room_missing[0]
        return CapExceeded(agreement=line.agreement, room_t=line.cap_room_t)
    if plan.refused:
        first = plan.refused[0]
        return _BY_CODE[first.code](agreement=first.agreement, vintage=first.block.vintage)
    return NoAgreement(registry=holdings[0].registry)


def _order(each: RetiredBlock) -> tuple[int, str, int]:
    return each.block.vintage, each.block.batch, each.block.serials.first


def applied_total(lines: Sequence[PlannedLine]) -> Decimal:
    """Return the tonnes that planned lines apply together."""
    return add_exactly([Decimal(0), *(planned.line.applied_t for planned in lines)])
