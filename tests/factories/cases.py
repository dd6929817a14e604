"""Settled deliveries with their bills, and the two persons of the market, for tests of cases."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from orders.models import Auction
from settlement.models import Delivery, Invoice, Voucher, VoucherProgramme
from settlement.selectors.balances import funds_of
from settlement.services.cases.voucher_programmes import (
    ProgrammeDraft,
    decide_programme,
    enter_programme,
)
from settlement.services.cases.vouchers import decide_voucher, enter_voucher
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.invariants import sweep_ledger
from settlement.services.settling import settle_auction
from tests.factories.marketplace import operator
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    deliver,
    funded,
    move_clock,
    published_auction,
)

TODAY = date(2026, 11, 23)
LATE = DELIVERY_STARTS + timedelta(days=60)


@dataclass
class Settled:
    """One delivery of ten units for two hours, 5.00 bought and 4.50 sold, settled.

    Buyer: net 100.00, fee 0.50, tax 6 % 6.03 = 106.53. Supplier: net 90.00 and tax 5.40, less fee
    0.45 and its tax 0.03 = 94.92.
    """

    funds: str = "500"
    market: Market = field(default_factory=Market)

    def __post_init__(self) -> None:
        self.buyer: Organisation = funded(self.funds, name_zh="买方甲", name_en="Buyer A")
        self.seller: Organisation = funded(name_zh="供方甲", name_en="Supplier A")
        self.auction: Auction = published_auction(
            self.market, [Trade(self.buyer, self.seller, ["10", "10"], "5", "4.5", "0.5")]
        )
        self.delivery: Delivery = deliver(self.auction)[0]
        move_clock(DELIVERY_STARTS + timedelta(hours=10))
        complete_due_deliveries(DELIVERY_STARTS + timedelta(hours=10))
        self.run = settle_auction(auction_id=self.auction.pk)

    @property
    def bill(self) -> Invoice:
        """The buyer's bill."""
        return Invoice.objects.get(run=self.run, direction="receivable")

    @property
    def statement(self) -> Invoice:
        """The supplier's statement."""
        return Invoice.objects.get(run=self.run, direction="payable")

    def available(self) -> Decimal:
        """What the buyer can use."""
        return funds_of(self.buyer).available_cny


def clerk() -> Actor:
    """A person of the platform who keeps the books and runs the market."""
    return operator(Role.FINANCE, Role.OPERATOR)


def programme(*, first: Actor, second: Actor, **changes: object) -> VoucherProgramme:
    """Return a programme in force: half of the bill, 1,000 CNY of budget, 400 a member."""
    draft = ProgrammeDraft(
        **{
            "code": "SH26",
            "name_zh": "上海算力券",
            "name_en": "Shanghai compute vouchers",
            "issuer_zh": "上海市经信委",
            "issuer_en": "Shanghai Commission of Economy",
            "budget_cny": Decimal(1000),
            "share_of_bill": Decimal("0.5"),
            "member_cap_cny": Decimal(400),
            "valid_from": date(2026, 11, 1),
            "valid_until": date(2026, 12, 31),
            **changes,
        }
    )
    entered = enter_programme(actor=first, draft=draft)
    return decide_programme(actor=second, public_id=entered.public_id, approve=True)


def voucher(
    of: VoucherProgramme, member: Organisation, face: str, *, first: Actor, second: Actor
) -> Voucher:
    """Return an issued voucher."""
    entered = enter_voucher(
        actor=first,
        programme_public_id=of.public_id,
        organisation=member,
        face_cny=Decimal(face),
    )
    return decide_voucher(actor=second, public_id=entered.public_id, approve=True)


def assert_ledger_clean() -> None:
    """The sweep of the ledger finds nothing."""
    run = sweep_ledger()
    assert run.passed, run.findings
