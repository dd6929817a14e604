"""What the demonstration's market remembers: a bill of two months ago that nobody paid.

Before its first morning a small buyer joins, buys ten hours and takes its money back. Then the
supplier corrects the count upwards, and the additional bill finds no money. Everything goes through
the real services, on the market's clock: the payment term and the reminders take their workdays.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from config.demo.cast import Cast, gather_cast, platform_actor
from config.demo.funding import fund
from config.demo.stage import Stage
from marketplace.domain.credit_code import complete_credit_code
from marketplace.domain.periods import market_date
from marketplace.models import Listing, ListingState, Organisation, Role
from marketplace.permissions import Actor, actor_for
from marketplace.selectors.clock import market_now
from marketplace.services.clock import set_clock
from marketplace.services.organisations import approve_organisation
from marketplace.services.reference_seed import RULES_BEGIN
from marketplace.services.sign_up import Person, sign_up
from orders.models import Auction, AuctionCalendar, AuctionState, CalendarKind, OrderKind, OrderSide
from orders.services.auctions import ensure_default_calendars
from orders.services.submission import OrderRequest, Step, submit_order
from settlement.models import Delivery, Invoice, InvoiceKind
from settlement.selectors.balances import funds_of
from settlement.selectors.cases.deadlines import default_terms
from settlement.services.accounts import open_member_accounts
from settlement.services.banking.workdays import seed_calendar, workdays_after
from settlement.services.cases.deposits import decide_deposit, enter_deposit
from settlement.services.cases.sweeping import sweep_cases
from settlement.services.deliveries import accept_delivery, complete_due_deliveries, hand_over
from settlement.services.funds import decide_withdrawal, request_withdrawal
from settlement.services.metering import ReadingDraft, record_readings
from settlement.services.settling import settle_auction, settle_differences

# Thirty workdays from the bill to the last reminder, with the longest holidays between.
MEMORY = timedelta(days=77)
FUNDS_CNY, SECURITY_CNY, SPENT_CNY = Decimal(12_000), Decimal(500), Decimal(4_000)
PRODUCT = "AI-910B"
FIRST_PERIOD, LAST_PERIOD = 9, 18
COUNTED = Decimal("0.5")
REASON = "漏计一半节点 / half of the nodes were left out"
_TRADED = frozenset({AuctionState.PUBLISHED, AuctionState.SETTLING})


@dataclass(frozen=True)
class Debtor:
    """The buyer that will not pay, with the person that acts for it."""

    organisation: Organisation
    actor: Actor


def remembers_from(morning: datetime) -> datetime | None:
    """Return where the market's memory begins, or None where its rules do not reach back so far."""
    begins = morning - MEMORY
    return begins if begins >= RULES_BEGIN else None


def play_arrears(stage: Stage, *, password: str) -> None:
    """Let a buyer join, trade, empty its account and owe a bill past every reminder."""
    seed_calendar()
    debtor = join(password=password)
    auction = _open_auction(stage)
    _buy(debtor, auction)
    _move_to(auction.gate_closes_at)
    stage.wait_for(f"clearing {auction.code}", lambda: _is_traded(auction))
    made = Delivery.objects.filter(allocation__auction=auction)
    stage.wait_for("making the first deliveries", made.exists)
    bill = leave_unpaid(debtor, auction, gather_cast())
    stage.say(
        f"  往期欠款 arrears: {debtor.organisation.name_zh} {bill.number}"
        f" {bill.gross.amount:,.2f} CNY, 到期 due {bill.due_on}"
    )


def join(*, password: str) -> Debtor:
    """Sign the buyer up, admit it, and let it pay in and lodge its security."""
    user, organisation = sign_up(
        person=Person(email="kong.fan@yiyu.example", password=password, display_name="孔帆"),
        name_zh="洛阳伊屿短视频制作有限公司",
        name_en="Luoyang Yiyu Short Video Co., Ltd.",
        credit_code=complete_credit_code("91410300XXDEM0357"),
        is_supplier=False,
        is_buyer=True,
        city="洛阳",
    )
    organisation = approve_organisation(
        actor=platform_actor(Role.OPERATOR), organisation=organisation
    )
    open_member_accounts(organisation)
    actor = actor_for(user=user, organisation_id=organisation.pk)
    fund(organisation, deposit_cny=FUNDS_CNY, credit_cny=Decimal(0))
    lodged = enter_deposit(
        actor=actor,
        organisation=organisation,
        amount_cny=SECURITY_CNY,
        expires_on=market_date(market_now() + timedelta(days=365)),
    )
    decide_deposit(actor=platform_actor(Role.FINANCE), public_id=lodged.public_id, approve=True)
    return Debtor(organisation, actor)


def leave_unpaid(debtor: Debtor, auction: Auction, cast: Cast) -> Invoice:
    """Deliver, settle and correct the debtor's trade, and let the reminders run out.

    Returns:
        The additional bill that stays unpaid.
    """
    deliveries = list(
        Delivery.objects.filter(allocation__auction=auction).select_related("allocation__listing")
    )
    _move_to(auction.delivery_starts_at - timedelta(hours=1))
    for delivery in deliveries:
        supplier = cast.supplying[delivery.allocation.seller_id]
        hand_over(
            actor=supplier,
            delivery_public_id=delivery.public_id,
            access_text="host: gw.demo.example",
        )
        accept_delivery(actor=debtor.actor, delivery_public_id=delivery.public_id)
    _move_to(auction.delivery_ends_at + timedelta(hours=1))
    for delivery in deliveries:
        _count(delivery, cast, share=COUNTED)
    complete_due_deliveries(market_now())
    settle_auction(auction_id=auction.pk)
    _empty_account(debtor)
    _move_to(market_now() + timedelta(days=1))
    for delivery in deliveries:
        _count(delivery, cast, share=Decimal(1), reason=REASON)
    settle_differences(auction_id=auction.pk)
    bill = Invoice.objects.get(organisation=debtor.organisation, kind=InvoiceKind.ADDITIONAL)
    _remind(bill)
    return bill


def _open_auction(stage: Stage) -> Auction:
    """Return the day-ahead auction of tomorrow; no other one is made for these days."""
    ensure_default_calendars()
    calendars = AuctionCalendar.objects.exclude(kind=CalendarKind.DAY_AHEAD)
    calendars.update(is_active=False)
    found = Auction.objects.filter(
        calendar__kind=CalendarKind.DAY_AHEAD, state=AuctionState.OPEN
    ).order_by("gate_closes_at")
    stage.wait_for("opening the first auction", found.exists)
    AuctionCalendar.objects.update(is_active=False)
    return found[0]


def _buy(debtor: Debtor, auction: Auction) -> None:
    """Bid above a standing offer, at its own data centre."""
    listing = (
        Listing.objects.filter(
            source="seed", state=ListingState.ACTIVE, pool__product__code=PRODUCT
        )
        .select_related("pool__hub", "pool__product")
        .order_by("pk")[0]
    )
    product = listing.pool.product
    price = (2 * product.reference_price.amount).quantize(product.price_tick, ROUND_FLOOR)
    hours = LAST_PERIOD - FIRST_PERIOD + 1
    lots = max(int(SPENT_CNY / (price * hours * product.quantity_lot)), 1)
    submit_order(
        actor=debtor.actor,
        request=OrderRequest(
            auction=auction.public_id,
            side=OrderSide.BUY,
            kind=OrderKind.CURVE,
            product=product.code,
            hub=listing.pool.hub.code,
            first_period=FIRST_PERIOD,
            last_period=LAST_PERIOD,
            steps=(Step(price=price, quantity=lots * product.quantity_lot),),
        ),
    )


def _is_traded(auction: Auction) -> bool:
    auction.refresh_from_db()
    return auction.state in _TRADED


def _count(delivery: Delivery, cast: Cast, *, share: Decimal, reason: str = "") -> None:
    drafts = [
        ReadingDraft(
            delivery=str(delivery.public_id),
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            quantity=(period.quantity * share).quantize(Decimal("0.001")),
            reason=reason,
        )
        for period in delivery.allocation.periods.order_by("period")
    ]
    supplier = cast.supplying[delivery.allocation.seller_id]
    record_readings(actor=supplier, drafts=drafts, source="form")


def _empty_account(debtor: Debtor) -> None:
    free = funds_of(debtor.organisation).available_cny
    asked = request_withdrawal(actor=debtor.actor, amount_cny=free)
    decide_withdrawal(
        actor=platform_actor(Role.FINANCE), withdrawal_public_id=asked.public_id, approve=True
    )


def _remind(bill: Invoice) -> None:
    """Let the days pass: on each day of the rule the sweep sends its reminder."""
    terms = default_terms(bill.due_on)
    for days in (terms.first_reminder_days, terms.second_reminder_days, terms.default_days):
        day = workdays_after(bill.due_on, days)
        _move_to(market_now() + (day - market_date(market_now())))
        sweep_cases(market_now())


def _move_to(instant: datetime) -> None:
    """Move the clock forward and let it stand."""
    set_clock(market_at=max(instant, market_now()), speed=Decimal(0), is_demo=True)
