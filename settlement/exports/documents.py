"""What the bilingual documents say; the words themselves stand in their templates."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketplace.domain.decimals import add_exactly
from marketplace.domain.money import vat_of
from marketplace.domain.periods import MARKET_TIME_ZONE, Period, describe_period, market_date
from marketplace.models import Organisation
from marketplace.selectors.rules import vat_rate_for
from orders.models import Allocation, AllocationPeriod
from settlement.models import (
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    InvoiceLineKind,
    SlaPenalty,
)
from settlement.selectors.invoices import lines_of

_TIME = "%Y-%m-%d %H:%M"
TITLES = {
    (InvoiceDirection.RECEIVABLE, InvoiceKind.BILL): ("结算单", "Bill"),
    (InvoiceDirection.RECEIVABLE, InvoiceKind.CREDIT_NOTE): ("冲减单", "Credit note"),
    (InvoiceDirection.RECEIVABLE, InvoiceKind.ADDITIONAL): ("补充结算单", "Additional bill"),
    (InvoiceDirection.PAYABLE, InvoiceKind.BILL): (
        "供方结算单",
        "Settlement statement of a supplier",
    ),
    (InvoiceDirection.PAYABLE, InvoiceKind.CREDIT_NOTE): (
        "供方冲减单",
        "Credit note of a supplier's statement",
    ),
    (InvoiceDirection.PAYABLE, InvoiceKind.ADDITIONAL): (
        "供方补充结算单",
        "Additional statement of a supplier",
    ),
}


@dataclass(frozen=True)
class PriceRun:
    """Periods in a row with the same quantity and prices."""

    window_zh: str
    window_en: str
    quantity: str
    buyer_price: str
    seller_price: str
    periods: int


@dataclass(frozen=True)
class BillRow:
    """A delivery on a bill with its fee beside it."""

    number: str
    product_zh: str
    product_en: str
    window_zh: str
    window_en: str
    unit_hours: str
    net: str
    vat_rate: str
    vat: str
    kind: str = ""


@dataclass(frozen=True)
class PenaltyRow:
    """The arithmetic of a penalty, in one row."""

    number: str
    formula: str
    promised: str
    delivered: str
    uncapped: str
    cap: str
    amount: str


@dataclass(frozen=True)
class RateRow:
    """A tax rate of a bill."""

    kind: str
    rate: str
    net: str
    vat: str


def confirmation_context(allocation: Allocation) -> dict[str, Any]:
    """Return what the confirmation of an allocation shows."""
    window = Period(allocation.starts_at, allocation.ends_at)
    net = allocation.buyer_net_cny.quantize(Decimal("0.01"))
    rate = vat_rate_for(allocation.product, on=market_date(allocation.starts_at))
    vat = vat_of(net, rate)
    return {
        "allocation": allocation,
        "run": allocation.run,
        "published_at": _local(allocation.run.published_at),
        "window_zh": describe_period(window, "zh-hans"),
        "window_en": describe_period(window, "en"),
        "unit_hours": number(allocation.unit_hours, 3),
        "net": number(net),
        "vat_rate": percent(rate),
        "vat": number(vat),
        "gross": number(add_exactly([net, vat])),
        "seller_net": number(allocation.seller_net_cny),
        "runs": _price_runs(allocation),
        "platform": Organisation.objects.filter(is_platform=True).first(),
    }


def invoice_context(invoice: Invoice) -> dict[str, Any]:
    """Return what a bill shows; fees are one row, the deliveries one each."""
    lines = list(lines_of(invoice))
    fees = [line for line in lines if line.kind == InvoiceLineKind.FEE]
    adjusted = (InvoiceLineKind.SLA_PENALTY, InvoiceLineKind.ADJUSTMENT, InvoiceLineKind.ROUNDING)
    return {
        "invoice": invoice,
        "is_payable": invoice.direction == InvoiceDirection.PAYABLE,
        "rows": [_bill_row(line) for line in lines if line.kind == InvoiceLineKind.COMPUTE],
        "adjusted": [_bill_row(line) for line in lines if line.kind in adjusted],
        "penalties": _penalties(invoice),
        "title": TITLES[InvoiceDirection(invoice.direction), InvoiceKind(invoice.kind)],
        "fee_net": number(add_exactly(line.net_cny for line in fees)),
        "fee_vat": number(add_exactly(line.vat_cny for line in fees)),
        "fee_rate": percent(fees[0].vat_rate) if fees else "",
        "rates": _rates(lines),
        "net": number(invoice.net.amount),
        "vat": number(invoice.vat.amount),
        "gross": number(invoice.gross.amount),
        "auction": invoice.run.auction,
        "platform": Organisation.objects.filter(is_platform=True).first(),
    }


def number(value: Decimal, places: int = 2) -> str:
    """Return a number with thousands separators, as documents write it."""
    return format(value.quantize(Decimal(1).scaleb(-places)), ",f")


def percent(rate: Decimal) -> str:
    """Return a rate such as 0.0600 as 6%."""
    return f"{(rate * 100).normalize():f}%"


def _local(instant: Any) -> str:
    return instant.astimezone(MARKET_TIME_ZONE).strftime(_TIME) if instant else ""


def _price_runs(allocation: Allocation) -> list[PriceRun]:
    groups: list[list[AllocationPeriod]] = []
    for period in allocation.periods.order_by("period"):
        if groups and _continues(groups[-1][-1], period):
            groups[-1].append(period)
        else:
            groups.append([period])
    return [_price_run(group) for group in groups]


def _continues(before: AllocationPeriod, period: AllocationPeriod) -> bool:
    return before.ends_at == period.starts_at and (
        before.quantity,
        before.buyer_price,
        before.seller_price,
    ) == (period.quantity, period.buyer_price, period.seller_price)


def _price_run(group: list[AllocationPeriod]) -> PriceRun:
    window = Period(group[0].starts_at, group[-1].ends_at)
    return PriceRun(
        window_zh=describe_period(window, "zh-hans"),
        window_en=describe_period(window, "en"),
        quantity=number(group[0].quantity, 3),
        buyer_price=number(group[0].buyer_price, 4),
        seller_price=number(group[0].seller_price, 4),
        periods=len(group),
    )


def _bill_row(line: Any) -> BillRow:
    allocation = line.delivery.allocation
    window = Period(allocation.starts_at, allocation.ends_at)
    return BillRow(
        number=allocation.number,
        product_zh=line.product.name_zh if line.product else "",
        product_en=line.product.name_en if line.product else "",
        window_zh=describe_period(window, "zh-hans"),
        window_en=describe_period(window, "en"),
        unit_hours=number(line.unit_hours, 3),
        net=number(line.net_cny),
        vat_rate=percent(line.vat_rate),
        vat=number(line.vat_cny),
        kind=line.kind,
    )


def _penalties(invoice: Invoice) -> list[PenaltyRow]:
    """Return the arithmetic behind the penalties on a document."""
    billed = invoice.lines.filter(kind=InvoiceLineKind.SLA_PENALTY).values("delivery_id")
    rows = SlaPenalty.objects.filter(run=invoice.run_id, delivery__in=billed)
    return [
        PenaltyRow(
            number=row.delivery.allocation.number,
            formula=row.formula_version,
            promised=number(row.promised_unit_hours, 3),
            delivered=number(row.delivered_unit_hours, 3),
            uncapped=number(row.uncapped_cny),
            cap=number(row.cap_cny),
            amount=number(row.amount_cny),
        )
        for row in rows.select_related("delivery__allocation").order_by("delivery_id")
    ]


def _rates(lines: list[Any]) -> list[RateRow]:
    sums: dict[tuple[str, Decimal], tuple[Decimal, Decimal]] = {}
    for line in lines:
        net, vat = sums.get((line.kind, line.vat_rate), (Decimal(0), Decimal(0)))
        sums[line.kind, line.vat_rate] = (net + line.net_cny, vat + line.vat_cny)
    return [
        RateRow(kind, percent(rate), number(net), number(vat))
        for (kind, rate), (net, vat) in sorted(sums.items())
    ]
