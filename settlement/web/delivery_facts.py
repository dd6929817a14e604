"""A delivery in figures: its way, sold against metered, energy."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.domain.decimals import add_exactly, multiply_exactly
from marketplace.domain.money import round_quotient
from marketplace.templatetags.market_ui import counted, group_digits, market_time, unit_text
from marketplace.web.charts import Chart
from orders.models import AllocationPeriod
from settlement.models import Delivery, DeliveryState, MeterReading, RatedPeriod
from settlement.selectors.deliveries import latest_readings

WAY = (
    DeliveryState.SCHEDULED,
    DeliveryState.HANDED_OVER,
    DeliveryState.ACCEPTED,
    DeliveryState.COMPLETED,
    DeliveryState.SETTLED,
)
REASONS = {
    "not_handed_over": _("The supplier did not hand over in time."),
    "timed_out": _("The buyer did not answer in time; that counts as confirmed."),
}
QUANTITY_PLACES = 3


def reason_text(code: str) -> str:
    """Return a stored reason in words; what a person wrote stays as it is."""
    return str(REASONS.get(code, code))


def way_of(delivery: Delivery) -> list[dict[str, Any]]:
    """Return the steps of a delivery with the market time at which each was reached."""
    reached = {row.to_state: row.market_at for row in delivery.transitions.order_by("id")}
    has_failed = DeliveryState.FAILED in reached
    way = (
        (DeliveryState.SCHEDULED, DeliveryState.FAILED, DeliveryState.SETTLED)
        if has_failed
        else WAY
    )
    present = list(way).index(DeliveryState(delivery.state))
    is_over = delivery.state == DeliveryState.SETTLED
    return [
        {
            "label": state.label,
            "state": "done"
            if index < present or is_over
            else "now"
            if index == present
            else "todo",
            "note": market_time(reached.get(state), "short") if state in reached else "",
        }
        for index, state in enumerate(way)
    ]


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """One delivery period: sold, metered and billed units; None where nothing is known."""

    starts_at: datetime
    ends_at: datetime
    sold: Decimal
    metered: Decimal | None
    billed: Decimal | None
    buyer_price: Decimal
    seller_price: Decimal

    @property
    def deviation(self) -> Decimal | None:
        """Metered minus sold."""
        return None if self.metered is None else self.metered - self.sold


def period_figures(delivery: Delivery) -> list[PeriodFigures]:
    """Return the periods of a delivery: as rated when it is settled, else by the readings."""
    periods = list(delivery.allocation.periods.order_by("period"))
    rated = {
        row.allocation_period_id: row
        for row in RatedPeriod.objects.filter(line__delivery=delivery).order_by("line__run_id")
    }
    readings = list(latest_readings(delivery))
    return [_figures(period, rated.get(period.pk), readings) for period in periods]


def _figures(
    period: AllocationPeriod, rated: RatedPeriod | None, readings: list[MeterReading]
) -> PeriodFigures:
    return PeriodFigures(
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        sold=period.quantity,
        metered=rated.metered if rated else _mean(period, readings),
        billed=rated.billed if rated else None,
        buyer_price=period.buyer_price,
        seller_price=period.seller_price,
    )


def _mean(period: AllocationPeriod, readings: list[MeterReading]) -> Decimal | None:
    """Return the mean of what the readings cover of a period."""
    covered = [(reading.quantity, _overlap_s(period, reading)) for reading in readings]
    seconds = sum(overlap for _, overlap in covered)
    if not seconds:
        return None
    total = add_exactly(multiply_exactly(units, overlap) for units, overlap in covered)
    return round_quotient(total, seconds, QUANTITY_PLACES)


def _overlap_s(period: AllocationPeriod, reading: MeterReading) -> int:
    span = min(period.ends_at, reading.ends_at) - max(period.starts_at, reading.starts_at)
    return max(span // timedelta(seconds=1), 0)


def metering_chart(delivery: Delivery, figures: list[PeriodFigures]) -> Chart:
    """Draw sold and metered units side by side."""
    allocation = delivery.allocation
    labels = [str(market_time(row.starts_at, "short")) for row in figures]
    plain = [_bare(label) for label in labels]
    read = [row for row in figures if row.metered is not None]
    short = [row for row in figures if row.metered is not None and row.metered < row.sold]
    text = gettext("None of %(all)s periods is metered yet.")
    if read:
        text = gettext(
            "%(read)s of %(all)s periods are metered; "
            "in %(short)s of them less was metered than sold."
        )
    return Chart(
        id="metering",
        kind="stacked_bars",
        title=gettext("Sold and metered"),
        summary=text % {"read": len(read), "all": len(figures), "short": len(short)},
        data={
            "x": plain,
            "grouped": True,
            "unit": counted(allocation.product),
            "series": [
                {"name": gettext("Sold"), "values": [row.sold for row in figures]},
                {"name": gettext("Metered"), "values": [row.metered for row in figures]},
            ],
        },
        table_head=[gettext("Period"), gettext("Sold"), gettext("Metered"), gettext("Deviation")],
        table_rows=[_table_row(label, row) for label, row in zip(plain, figures, strict=True)],
        height="sm",
        note=gettext("Sold in all periods together: %(total)s %(unit)s.")
        % {
            "total": group_digits(allocation.unit_hours, 0, 3),
            "unit": unit_text(allocation.product),
        },
    )


def _bare(markup: str) -> str:
    return markup.rsplit("</", 1)[0].rsplit(">", 1)[-1]


def _table_row(label: str, row: PeriodFigures) -> list[str | None]:
    return [label, *(_units(value) for value in (row.sold, row.metered, row.deviation))]


def _units(value: Decimal | None) -> str | None:
    return None if value is None else group_digits(value, 0, 3)
