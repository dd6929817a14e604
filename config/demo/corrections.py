"""Corrections on the settled day of the demonstration: a recount, and what finance sees of it."""

from decimal import Decimal

from config.demo.cast import Cast
from config.demo.stage import Stage
from settlement.models import (
    Delivery,
    Invoice,
    InvoiceKind,
    MeterReading,
    SettlementRun,
    SlaPenalty,
)
from settlement.services.metering import ReadingDraft, record_readings
from settlement.services.settling import settle_differences

CORRECTED = 3
SHARE = Decimal("0.7")
REASON = "复核表计：两台节点停机 / recount: two nodes were off"


def play_corrections(cast: Cast, stage: Stage) -> list[str]:
    """Let suppliers correct an hour of a few settled deliveries, settle the differences, and tell.

    Repeated, it corrects nothing more and tells the same.
    """
    first = SettlementRun.objects.filter(sequence=1, state="posted").order_by("-pk").first()
    if first is None:
        return []
    run = SettlementRun.objects.filter(auction=first.auction_id, sequence=2).first()
    if run is None:
        for delivery in _to_correct(first, cast):
            _recount(delivery, cast)
            stage.watch()
        run = settle_differences(auction_id=first.auction_id)
    return [] if run is None else _told(first, run)


def _to_correct(run: SettlementRun, cast: Cast) -> list[Delivery]:
    metered = Delivery.objects.filter(
        allocation__auction=run.auction_id,
        allocation__seller__in=cast.supplying,
        failure_reason="",
        readings__isnull=False,
    )
    return list(metered.select_related("allocation").distinct().order_by("pk")[:CORRECTED])


def _recount(delivery: Delivery, cast: Cast) -> None:
    reading = MeterReading.objects.filter(delivery=delivery).order_by("starts_at").first()
    if reading is None:
        return
    draft = ReadingDraft(
        delivery=str(delivery.public_id),
        starts_at=reading.starts_at,
        ends_at=reading.ends_at,
        quantity=(reading.quantity * SHARE).quantize(Decimal("0.001")),
        reason=REASON,
    )
    supplier = cast.supplying[delivery.allocation.seller_id]
    record_readings(actor=supplier, drafts=[draft], source="form")


def _told(first: SettlementRun, run: SettlementRun) -> list[str]:
    credits = Invoice.objects.filter(run=run, kind=InvoiceKind.CREDIT_NOTE)
    penalties = SlaPenalty.objects.filter(run__in=[first, run]).count()
    return [
        f"差额结算 difference run {run.number}: 买方 buyers {run.buyer_net_cny} 元 CNY, "
        f"供方 suppliers {run.seller_net_cny} 元 CNY",
        f"冲减单 credit notes: {credits.count()}; 服务不足扣款 penalties: {penalties}, "
        f"{first.penalties_cny + run.penalties_cny} 元 CNY",
    ]
