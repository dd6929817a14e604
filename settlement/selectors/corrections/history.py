"""How a delivery was settled, sequence by sequence, from one side."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from settlement.models import Delivery, RatedLine, SlaPenalty


@dataclass(frozen=True, slots=True)
class SequenceRow:
    """What one run said of a delivery, from the side of the reader, CNY before tax."""

    number: str
    settled_on: date | None
    billed_unit_hours: Decimal
    net_cny: Decimal


@dataclass(frozen=True, slots=True)
class History:
    """The sequences of a delivery, their total and its newest penalty."""

    results: list[SequenceRow]
    penalty: SlaPenalty | None

    @property
    def total(self) -> SequenceRow:
        """Return what all sequences come to."""
        return SequenceRow(
            "",
            None,
            sum((row.billed_unit_hours for row in self.results), Decimal(0)),
            sum((row.net_cny for row in self.results), Decimal(0)),
        )


def history_of(delivery: Delivery, *, is_seller: bool) -> History:
    """Return how a delivery was settled, as its seller or its buyer sees it."""
    lines = RatedLine.objects.filter(delivery=delivery).select_related("run")
    rows = [
        SequenceRow(
            line.run.number,
            line.run.settled_on,
            line.billed_unit_hours,
            line.seller_net_cny if is_seller else line.buyer_net_cny,
        )
        for line in lines.order_by("run__sequence")
    ]
    penalties = SlaPenalty.objects.filter(delivery=delivery)
    return History(rows, penalties.order_by("-run__sequence").first())
