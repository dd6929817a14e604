"""The market's books and the operator's desk: summary, drill-down, two persons, auction control."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import AuditEvent
from orders.models import Auction, AuctionState
from settlement.models import CreditLimit, DepositReceipt, Invoice, SettlementRun
from settlement.services.funds import propose_credit_limit, record_deposit
from tests.web.desks import Desk, browser, text_of

pytestmark = pytest.mark.django_db


def test_summary_leads_down_to_the_readings():
    desk = Desk().settled()
    client = browser(desk.people["finance"])

    summary = client.get(reverse("settlement-summary"))
    run = client.get(summary.context["rows"][0]["url"])
    bill = client.get(reverse("bill", args=[run.context["bills"][0].public_id]))
    line = bill.context["page_obj"][0]
    delivery = client.get(reverse("delivery", args=[line.delivery.public_id]))

    billed = sum(i.gross.amount for i in Invoice.objects.filter(direction="receivable"))
    assert summary.context["summary"].total.buyer_gross_cny == billed
    assert run.context["run"] == SettlementRun.objects.get()
    assert len(delivery.context["readings"]) == 3


@pytest.mark.parametrize("by", ["auction", "member", "product", "period", "nonsense"])
def test_summary_by_every_grouping_ties(by):
    desk = Desk().settled()

    answer = browser(desk.people["auditor"]).get(reverse("settlement-summary"), {"by": by})

    assert answer.status_code == 200
    assert answer.context["rows"]
    assert not answer.context["failure"]


@pytest.mark.parametrize("name", ["settlement-summary-file", "trial-balance-file"])
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_books_are_downloaded(name, file_format):
    desk = Desk().settled()

    answer = browser(desk.people["finance"]).get(reverse(name, args=[file_format]))

    assert answer.status_code == 200
    assert answer.content.startswith(b"PK" if file_format == "xlsx" else "\ufeff".encode())


def test_trial_balance_is_zero_and_leads_to_account_and_entry():
    desk = Desk().settled()
    client = browser(desk.people["auditor"])

    trial = client.get(reverse("trial-balance"))
    account = client.get(reverse("ledger-account", args=["3001.01"]))
    entry = account.context["rows"][0]["posting"].entry
    shown = client.get(reverse("journal-entry", args=[entry.public_id]))

    sums = trial.context["sums"]
    assert trial.context["is_balanced"]
    assert sums["closing_debit"] == sums["closing_credit"] > 0
    assert account.context["rows"][0]["posting"].balance == 0
    assert sum(row["posting"].amount for row in shown.context["rows"]) == 0


def deposit_data(desk: Desk, **changes: str) -> dict[str, str]:
    """Return a filled receipt."""
    return {
        "organisation": str(desk.buying.pk),
        "amount": "5000.00",
        "bank_reference": "20261122-77",
        "received_on": "2026-11-22",
        "note": "",
        **changes,
    }


def test_receipt_counts_once_another_person_confirms_it():
    desk = Desk()
    maker, checker = browser(desk.people["finance"]), browser(desk.people["second"])
    maker.post(reverse("funds-enter-deposits"), deposit_data(desk))
    receipt = DepositReceipt.objects.get(bank_reference="20261122-77")
    url = reverse("funds-approve-deposits", args=[receipt.public_id])

    own = maker.post(url, {"reason": ""})
    receipt.refresh_from_db()
    after_own = receipt.state
    question = checker.get(url)
    checker.post(url, {"reason": ""})

    receipt.refresh_from_db()
    assert own.status_code == 422
    assert "Another person" in text_of(own)
    assert after_own == "entered"
    assert "5,000.00" in text_of(question)
    assert receipt.state == "approved"
    assert browser(desk.buyer).get(reverse("balance")).context["funds"].deposit_cny == 105000


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "12.345"}, "amount"),
        ({"amount": "Infinity"}, "amount"),
        ({"bank_reference": ""}, "bank_reference"),
        ({"organisation": "0"}, "organisation"),
        ({"received_on": "x"}, "received_on"),
    ],
)
def test_wrong_receipts_are_refused_beside_the_field(changes, field):
    desk = Desk()

    answer = browser(desk.people["finance"], language="zh-hans").post(
        reverse("funds-enter-deposits"), deposit_data(desk, **changes)
    )

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not answer.context["form"].errors[field][0].isascii()


def test_refusal_of_a_limit_needs_a_reason():
    desk = Desk()
    limit = propose_credit_limit(
        actor=desk.people["operator"], organisation=desk.buying, amount_cny=Decimal(1000)
    )
    url = reverse("funds-reject-limits", args=[limit.public_id])
    client = browser(desk.people["finance"])

    without = client.post(url, {"reason": ""})
    client.post(url, {"reason": "合同未签"})

    limit = CreditLimit.objects.get()
    assert without.status_code == 422
    assert (limit.state, limit.decision_reason) == ("rejected", "合同未签")


def test_desk_offers_no_decision_on_ones_own_entry():
    desk = Desk()
    record_deposit(
        actor=desk.people["finance"],
        organisation=desk.buying,
        amount_cny=Decimal(10),
        bank_reference="own-1",
        received_on=date(2026, 11, 22),
    )

    own = browser(desk.people["finance"]).get(reverse("funds-desk"))
    other = browser(desk.people["second"]).get(reverse("funds-desk"))

    assert [item["can_decide"] for item in own.context["waiting"]] == [False]
    assert [item["can_decide"] for item in other.context["waiting"]] == [True]


def test_operator_halts_with_a_reason_and_resumes():
    desk = Desk()
    Auction.objects.filter(pk=desk.auction.pk).update(state=AuctionState.OPEN)
    client = browser(desk.people["operator"])
    halt, resume = (
        reverse(f"auction-{act}", args=[desk.auction.code]) for act in ("halt", "resume")
    )

    without = client.post(halt, {"reason": " "})
    client.post(halt, {"reason": "光缆中断"})
    desk.auction.refresh_from_db()
    halted = desk.auction.state
    shown = client.get(reverse("auction-control"))
    client.post(resume, {"reason": "已恢复"})

    desk.auction.refresh_from_db()
    assert without.status_code == 422
    assert halted == AuctionState.HALTED
    assert "光缆中断" in text_of(shown)
    assert desk.auction.state == AuctionState.OPEN


def test_published_auction_cannot_be_cancelled():
    desk = Desk()

    answer = browser(desk.people["operator"]).post(
        reverse("auction-cancel", args=[desk.auction.code]), {"reason": "zu spät"}
    )

    desk.auction.refresh_from_db()
    assert answer.status_code == 422
    assert desk.auction.state == AuctionState.PUBLISHED


def test_audit_trail_is_filtered_and_exported():
    desk = Desk().handed_over()
    client = browser(desk.people["auditor"])

    page = client.get(reverse("audit-log"), {"action": "delivery.handed"})
    body = client.get(reverse("audit-csv"), {"who": desk.buying.code}).content.decode()

    assert page.context["page_obj"].paginator.count == 2
    assert "delivery.accepted" in body
    assert "delivery.handed_over" not in body
    assert AuditEvent.objects.count() > 2
