"""A small settled market to correct: readings, penalties, adjustments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Sum

from marketplace.models import Organisation, Product
from orders.models import Auction
from settlement.models import (
    Account,
    Delivery,
    Invoice,
    JournalEntry,
    MeterReading,
    Posting,
    RatedLine,
    SlaTerms,
)
from settlement.selectors.rederivation import rederive_run
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.metering import record_reading
from settlement.services.settling import settle_auction
from tests.factories.marketplace import ProductFactory
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    as_seller,
    deliver,
    funded,
    move_clock,
    published_auction,
)

HOUR = timedelta(hours=1)
AFTER = DELIVERY_STARTS + 12 * HOUR


@dataclass
class Floor:
    """Two buyers, two sellers, products taxed at 6 % and at 13 %, four deliveries of two hours."""

    market: Market = field(default_factory=Market)
    deposit: str = "1000"

    def __post_init__(self) -> None:
        self.rented: Product = ProductFactory(vat_rate=None)
        self.rented.vat_rates.update(rate="0.13")
        self.anna, self.ben = funded(self.deposit, code="BA"), funded("1000", code="BB")
        self.sam, self.tess = funded(code="SA"), funded(code="SB")
        self.auction: Auction = published_auction(
            self.market,
            [
                Trade(self.anna, self.sam, ["10", "10"], "5.3337", "5.01", "0.2", hold="120"),
                Trade(self.anna, self.tess, ["3", "3"], "7.77", "7", "0.1", product=self.rented),
                Trade(self.ben, self.tess, ["5", "5"], "9.87", "9", "0.05", product=self.rented),
                Trade(self.ben, self.sam, ["1", "1"], "3.335", "3.335"),
            ],
        )
        self.deliveries: list[Delivery] = deliver(self.auction)

    def settle(self) -> None:
        """End the deliveries and settle them."""
        move_clock(AFTER)
        complete_due_deliveries(AFTER)
        settle_auction(auction_id=self.auction.pk)

    def read(
        self, index: int, hour: int, quantity: str, reason: str = "recounted", **more: object
    ) -> MeterReading:
        """Store a reading of an hour of a delivery."""
        delivery = self.deliveries[index]
        return record_reading(
            actor=as_seller(delivery.allocation.seller),
            delivery_public_id=delivery.public_id,
            starts_at=DELIVERY_STARTS + hour * HOUR,
            ends_at=DELIVERY_STARTS + (hour + 1) * HOUR,
            quantity=Decimal(quantity),
            reason=reason,
            **more,
        )


def promise(products: Sequence[Product], **fields: object) -> list[SlaTerms]:
    """Promise service: 95 % an hour, a quarter of what is missing, half of what is lost."""
    terms = {
        "valid_from": date(2026, 1, 1),
        "late_minutes": 15,
        "short_threshold": "0.95",
        "late_rate": "0.2",
        "short_rate": "0.25",
        "lost_rate": "0.5",
        "cap_share": "0.2",
    }
    return [SlaTerms.objects.create(product=each, **{**terms, **fields}) for each in products]


def balances() -> dict[str, Decimal]:
    """Return every account that is not zero, by code."""
    rows = Account.objects.annotate(total=Sum("posting__amount")).filter(total__isnull=False)
    return {row.code: row.total for row in rows if row.total}


def balance(purpose: str, member: Organisation | None = None) -> Decimal:
    """Return what stands on an account, debit above zero."""
    postings = Posting.objects.filter(account__purpose=purpose, account__organisation=member)
    return postings.aggregate(total=Sum("amount"))["total"] or Decimal(0)


def documents() -> list[tuple[str, ...]]:
    """Return kind, member, side, net, tax and gross of every document, in order of issue."""
    rows = Invoice.objects.order_by("pk").values_list(
        "run__sequence", "organisation__code", "direction", "kind", "net", "vat", "gross"
    )
    return [tuple(str(value) for value in row) for row in rows]


def money_of(auction: Auction) -> list[tuple[Decimal, ...]]:
    """Return what each delivery came to over all sequences."""
    names = ("billed_unit_hours", "buyer_net_cny", "seller_net_cny", "tariff_cny")
    rows = RatedLine.objects.filter(run__auction=auction).order_by("delivery_id")
    sums = rows.values("delivery_id").annotate(**{f"s_{n}": Sum(n) for n in names})
    return [tuple(row[f"s_{n}"] for n in names) for row in sums]


def assert_sound(auction: Auction, run_id: int) -> None:
    """Every amount agrees with its second derivation, and every entry with its double."""
    assert rederive_run(run_id).differences == ()
    assert balance("trade_clearing") == 0
    assert Posting.objects.aggregate(total=Sum("amount"))["total"] == 0
    assert JournalEntry.objects.count() == len(
        set(JournalEntry.objects.values_list("idempotency_key", flat=True))
    )
