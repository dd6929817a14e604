"""The default of the demonstration: declared by two operators, covered in the written order."""

from decimal import Decimal

from config.demo.cast import Cast, platform_actor
from config.demo.stage import Stage
from marketplace.models import Role
from marketplace.selectors.clock import market_now
from settlement.models import DefaultCase, DefaultStep, DunningStep, InvoiceState
from settlement.services.cases.defaults import decide_default, propose_default
from settlement.services.cases.dunning import LAST_STEP
from settlement.services.cases.sweeping import sweep_cases

NAMES = {
    "free_funds": "可用资金 own funds",
    "deposit": "履约保证金 security deposit",
    "guarantee": "保函 guarantee",
    "reserve": "风险准备金 risk reserve",
    "loss": "违约损失 loss",
}


def play_default(cast: Cast, stage: Stage) -> list[str]:
    """Declare whoever ran through the reminders, once, and tell what covered the debt."""
    case = DefaultCase.objects.select_related("organisation").order_by("pk").first()
    if case is None:
        case = _declare()
        stage.watch()
    return [] if case is None else [_told(case)]


def _declare() -> DefaultCase | None:
    sweep_cases(market_now())
    step = (
        DunningStep.objects.filter(step=LAST_STEP, invoice__state=InvoiceState.ISSUED)
        .select_related("invoice__organisation")
        .order_by("pk")
        .first()
    )
    if step is None:
        return None
    bill = step.invoice
    case = propose_default(
        actor=platform_actor(Role.OPERATOR),
        organisation=bill.organisation,
        reason=f"{bill.number} 三次催收未付 / unpaid after three reminders",
    )
    return decide_default(
        actor=platform_actor(Role.OPERATOR, number=1), public_id=case.public_id, approve=True
    )


def _told(case: DefaultCase) -> str:
    parts = ", ".join(f"{NAMES[source]} {cny:,.2f}" for source, cny in _covered(case).items())
    member = case.organisation
    return (
        f"违约 default {case.number} {member.name_zh} ({member.name_en}):"
        f" 欠款 owed {case.owed_cny:,.2f} CNY = {parts};"
        f" 违约金 penalty {case.penalty_cny:,.2f} CNY"
    )


def _covered(case: DefaultCase) -> dict[str, Decimal]:
    """Return what each source gave for the debts, in the order of taking."""
    found: dict[str, Decimal] = {}
    steps = DefaultStep.objects.filter(case=case, is_penalty=False, is_recovery=False)
    for source, amount in steps.order_by("position").values_list("source", "amount_cny"):
        found[source] = found.get(source, Decimal(0)) + amount
    return found
