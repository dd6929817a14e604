"""The worked numbers of disputes, vouchers and defaults, read from their pages."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from settlement.models import (
    CreditKind,
    Dispute,
    Invoice,
    InvoiceLine,
    SecurityDeposit,
    VoucherProgramme,
)
from settlement.services.accounts import account_for
from settlement.services.cases.defaults import decide_default, propose_default
from settlement.services.cases.deposits import decide_deposit, enter_deposit
from settlement.services.cases.disputes import (
    answer_dispute,
    insist_on_dispute,
    open_dispute,
)
from settlement.services.cases.dunning import remind_overdue
from settlement.services.cases.redemption import redeem_for_run
from settlement.services.cases.rulings import decide_ruling, propose_ruling
from settlement.services.credit_limits import propose_credit_limit
from settlement.services.ledger import PostingLine, post_entry
from tests.factories import ledger
from tests.factories.cases import LATE, TODAY, Settled, clerk, programme, voucher
from tests.factories.marketplace import member, operator
from tests.factories.settlement import move_clock

pytestmark = pytest.mark.django_db
PAGES = Path(__file__).parents[4] / "docs" / "explanation"
ROW = re.compile(r"^\| (?P<name>[^|]+) \| (?P<amount>-?[0-9]+\.[0-9]{2}) \|$", re.MULTILINE)


def _table(page: str) -> list[tuple[str, Decimal]]:
    text = (PAGES / page).read_text(encoding="utf-8").partition("## Worked example")[2]
    return [(row["name"], Decimal(row["amount"])) for row in ROW.finditer(text)]


def test_disputes() -> None:
    settled = Settled()
    buyer = member(settled.buyer, "buyer")
    dispute = open_dispute(
        actor=buyer,
        delivery_public_id=settled.delivery.public_id,
        ground="quality",
        claim="Slow.",
        claimed_net_cny=Decimal(40),
    )
    answer_dispute(
        actor=member(settled.seller, "supplier"), public_id=dispute.public_id, text="Fast."
    )
    insist_on_dispute(actor=buyer, public_id=dispute.public_id)
    ruling = propose_ruling(
        actor=operator(),
        public_id=dispute.public_id,
        outcome="part",
        reason="Half.",
        awarded_net_cny=Decimal(25),
    )
    decide_ruling(actor=operator(), ruling_public_id=ruling.public_id, approve=True)
    dispute = Dispute.objects.get()

    assert [amount for _name, amount in _table("disputes.md")] == [
        settled.bill.gross.amount,
        settled.statement.gross.amount,
        dispute.claimed_net_cny,
        dispute.held_cny,
        dispute.bill_part_cny,
        dispute.rulings.get().awarded_net_cny,
        -_credited("receivable"),
        -_credited("payable"),
    ]


def _credited(direction: str) -> Decimal:
    note = Invoice.objects.get(kind="credit_note", direction=direction)
    return sum(
        (line.net_cny for line in InvoiceLine.objects.filter(invoice=note).exclude(kind="fee")),
        Decimal(0),
    )


def test_vouchers() -> None:
    settled = Settled()
    first, second = clerk(), clerk()
    issued = voucher(
        programme(first=first, second=second), settled.buyer, "400", first=first, second=second
    )
    paid = redeem_for_run(settled.run.pk)
    issued.refresh_from_db()
    of = VoucherProgramme.objects.get()

    assert [amount for _name, amount in _table("vouchers.md")] == [
        settled.bill.gross.amount,
        paid,
        issued.remaining_cny,
        of.committed_cny,
        of.redeemed_cny,
    ]


def test_defaults() -> None:
    settled = Settled(funds="40")
    _stand_behind(settled)
    case = propose_default(actor=operator(), organisation=settled.buyer, reason="Unpaid.")
    case = decide_default(actor=operator(), public_id=case.public_id, approve=True)

    steps = case.steps.order_by("position").values_list("source", "amount_cny")
    assert list(steps) == _table("defaults.md")


def _stand_behind(settled: Settled) -> None:
    """Deposit and guarantee, posted past the services that would pay the bill from them first."""
    first, second = clerk(), clerk()
    move_clock(LATE)
    remind_overdue(LATE)
    post_entry(
        kind="reserve_funded",
        effective_on=TODAY,
        source_type="test",
        source_id="1",
        idempotency_key="test-reserve",
        postings=[
            PostingLine(account_for("reserve_expense").pk, Decimal(10)),
            PostingLine(account_for("risk_reserve").pk, Decimal(-10)),
        ],
    )
    ledger.deposit(settled.buyer, "20")
    deposit = enter_deposit(
        actor=first,
        organisation=settled.buyer,
        amount_cny=Decimal(20),
        expires_on=TODAY.replace(year=2028),
    )
    decide_deposit(actor=second, public_id=deposit.public_id, approve=True)
    assert SecurityDeposit.objects.get().remaining_cny == 20
    limit = propose_credit_limit(
        actor=first,
        organisation=settled.buyer,
        amount_cny=Decimal(30),
        kind=CreditKind.GUARANTEE,
        guarantee_number="BH-2",
        guarantor="中国建设银行",
    )
    limit.state, limit.decided_by = "approved", second.user
    limit.save(update_fields=["state", "decided_by"])
