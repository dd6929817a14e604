"""The death of planned credits in their home registry, with the beneficiary named."""

from marketplace.permissions import Actor
from settlement.domain.registry.blocks import tidy_blocks
from settlement.models import RetirementLine, RetirementPurpose
from settlement.selectors.recognition.needs import StatementNeed
from settlement.services.recognition.choosing import unit_blocks
from settlement.services.recognition.planning import PlannedLine
from settlement.services.registry.holdings import retire_units


def retire_planned(
    planned: PlannedLine, *, need: StatementNeed, actor: Actor, key: str
) -> list[RetirementLine]:
    """Retire the units of a planned line, unless they died before; return the retirement's lines.

    Args:
        planned: units of one agreement, hence of one registry.
        need: names beneficiary and month.
        actor: a person of the holder.
        key: name of the recognition; with the agreement it makes the retirement happen once.

    Raises:
        CarbonRuleBroken: a serial is not free any more; nothing was retired.
    """
    if planned.retired:
        return list(planned.retired)
    retirement = retire_units(
        actor=actor,
        ranges=tidy_blocks(unit_blocks(planned.line.used)),
        beneficiary=need.organisation,
        purpose=RetirementPurpose.RECOGNITION,
        claim_month=need.claim_month,
        note=f"{planned.agreement.terms.code} v{planned.agreement.terms.version}",
        source_type="recognition",
        source_id=str(need.statement.public_id),
        idempotency_key=f"recognition:{key}:{planned.agreement.version.pk}",
    )
    return list(retirement.lines.order_by("line"))
