"""Disputes and vouchers of the demonstration, through the real services.

Each part looks for what it would make and stands aside when that is there, so that it can be played
after every settled day.
"""

from datetime import timedelta
from decimal import Decimal

from config.demo.cast import Cast, platform_actor
from config.demo.stage import Stage
from marketplace.domain.periods import market_date
from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from settlement.models import (
    Delivery,
    DeliveryState,
    Dispute,
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    VoucherProgramme,
)
from settlement.selectors.cases.disputes import billed_delivery
from settlement.services.cases.disputes import answer_dispute, insist_on_dispute, open_dispute
from settlement.services.cases.redemption import redeem_on_bill
from settlement.services.cases.rulings import decide_ruling, propose_ruling
from settlement.services.cases.sweeping import sweep_cases
from settlement.services.cases.voucher_programmes import (
    ProgrammeDraft,
    decide_programme,
    enter_programme,
)
from settlement.services.cases.vouchers import decide_voucher, enter_voucher

CODE = "SHSLQ26"
FACE_CNY = Decimal(5000)
WORTH_A_DISPUTE_CNY = Decimal(10)


def play_cases(cast: Cast, stage: Stage) -> list[str]:
    """Rule on a dispute in part, and use a voucher."""
    sweep_cases(market_now())
    parts = (_dispute(cast), _voucher())
    return [line for line in parts if line]


def _dispute(cast: Cast) -> str:
    found = None if Dispute.objects.exists() else _questionable(cast)
    if found is None:
        return ""
    delivery, billed_cny = found
    allocation = delivery.allocation
    buyer = cast.buying[allocation.buyer.code]
    claimed = (billed_cny * Decimal("0.4")).quantize(Decimal("0.01"))
    dispute = open_dispute(
        actor=buyer,
        delivery_public_id=delivery.public_id,
        ground="quality",
        claim="第二小时性能低于承诺。\nPerformance fell below the promise in the second hour.",
        claimed_net_cny=claimed,
    )
    answer_dispute(
        actor=cast.supplying[allocation.seller_id],
        public_id=dispute.public_id,
        text="部分节点曾限频，愿意部分退款。\nSome nodes were throttled; we accept a part.",
    )
    insist_on_dispute(actor=buyer, public_id=dispute.public_id)
    awarded = (claimed / 2).quantize(Decimal("0.01"))
    ruling = propose_ruling(
        actor=platform_actor(Role.OPERATOR),
        public_id=dispute.public_id,
        outcome="part",
        reason="按计量支持一半。\nHalf is upheld by the readings.",
        awarded_net_cny=awarded,
    )
    decide_ruling(
        actor=platform_actor(Role.OPERATOR, number=1),
        ruling_public_id=ruling.public_id,
        approve=True,
    )
    return f"争议 {dispute.number} 裁决退款 {awarded} 元 / dispute {dispute.number}: {awarded} CNY"


def _questionable(cast: Cast) -> tuple[Delivery, Decimal] | None:
    """A delivery of two demonstration members, worth questioning, and what was billed for it.

    What was sold says nothing: a delivery that failed is settled too, and billed nothing.
    """
    rows = (
        Delivery.objects.filter(
            state=DeliveryState.SETTLED,
            allocation__buyer__code__in=cast.buying,
            allocation__seller_id__in=cast.supplying,
            allocation__buyer_net_cny__gte=WORTH_A_DISPUTE_CNY,
        )
        .select_related("allocation__buyer", "allocation__seller")
        .order_by("-pk")
    )
    for delivery in rows.iterator():
        billed = billed_delivery(delivery)
        if billed is not None and billed.buyer_net >= WORTH_A_DISPUTE_CNY:
            return delivery, billed.buyer_net
    return None


def _voucher() -> str:
    bill = (
        Invoice.objects.filter(
            direction=InvoiceDirection.RECEIVABLE, kind=InvoiceKind.BILL, gross__gt=0
        )
        .select_related("organisation")
        .order_by("-gross")
        .first()
    )
    if bill is None:
        return ""
    maker, checker = platform_actor(Role.OPERATOR), platform_actor(Role.OPERATOR, number=1)
    programme = VoucherProgramme.objects.filter(code=CODE).first() or _programme(maker, checker)
    if programme.vouchers.filter(organisation=bill.organisation).exists():
        return ""
    voucher = enter_voucher(
        actor=maker,
        programme_public_id=programme.public_id,
        organisation=bill.organisation,
        face_cny=FACE_CNY,
    )
    decide_voucher(actor=checker, public_id=voucher.public_id, approve=True)
    paid = redeem_on_bill(bill)
    return (
        f"算力券 {voucher.number} 抵扣账单 {bill.number} {paid} 元 / "
        f"voucher {voucher.number} paid {paid} CNY of {bill.number}"
    )


def _programme(maker: Actor, checker: Actor) -> VoucherProgramme:
    today = market_date(market_now())
    entered = enter_programme(
        actor=maker,
        draft=ProgrammeDraft(
            code=CODE,
            name_zh="算力券（演示）",
            name_en="Compute vouchers (demonstration)",
            issuer_zh="示例市经济和信息化局",
            issuer_en="Economy and Information Bureau of Example City",
            budget_cny=Decimal(200_000),
            share_of_bill=Decimal("0.3"),
            member_cap_cny=Decimal(20_000),
            valid_from=today - timedelta(days=60),
            valid_until=today + timedelta(days=180),
        ),
    )
    return decide_programme(actor=checker, public_id=entered.public_id, approve=True)
