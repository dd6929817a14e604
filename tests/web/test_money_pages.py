"""Members' money: balance, withdrawal, statement, bills, the supplier's tax invoice."""

from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import Role
from orders.web.names import auction_name
from settlement.models import Invoice, SettlementRun, SupplierInvoice, WithdrawalRequest
from tests.web.desks import Desk, browser, colleague, text_of

pytestmark = pytest.mark.django_db


def buyers_bill(desk: Desk) -> Invoice:
    """Return the bill of the desk's buyer."""
    return Invoice.objects.get(organisation=desk.buying, direction="receivable")


def suppliers_statement(desk: Desk) -> Invoice:
    """Return the settlement statement of the desk's supplier."""
    return Invoice.objects.get(organisation=desk.selling, direction="payable")


def test_balance_shows_funds_movements_and_where_to_pay():
    desk = Desk().settled()

    answer = browser(desk.buyer).get(reverse("balance"))

    funds = answer.context["funds"]
    gross = buyers_bill(desk).gross.amount
    rows = answer.context["rows"]
    assert funds.deposit_cny == Decimal(100000) - gross
    assert [row["amount"] for row in rows] == [-gross, Decimal(100000)]
    assert rows[0]["balance"] == funds.deposit_cny
    assert "6222000000000001" in text_of(answer)


def test_withdrawal_is_asked_twice_and_then_held():
    desk = Desk()
    clerk = browser(colleague(desk.buying, Role.FINANCE))
    data = {"amount": "2500.50", "note": "部分提取"}

    question = clerk.post(reverse("withdraw"), data)
    asked_only = WithdrawalRequest.objects.count()
    clerk.post(reverse("withdraw"), {**data, "confirmed": "yes"})

    assert "97,499.50" in text_of(question)
    assert asked_only == 0
    assert WithdrawalRequest.objects.get().amount.amount == Decimal("2500.50")
    assert clerk.get(reverse("balance")).context["funds"].held_cny == Decimal("2500.50")


@pytest.mark.parametrize("amount", ["0", "-5", "1.005", "NaN", "1e3", "１００", "100000.01", ""])
def test_wrong_withdrawals_are_refused_beside_the_field(amount):
    desk = Desk()
    clerk = browser(colleague(desk.buying, Role.FINANCE), language="zh-hans")

    answer = clerk.post(reverse("withdraw"), {"amount": amount, "confirmed": "yes"})

    assert answer.status_code == 422
    assert not answer.context["form"].errors["amount"][0].isascii()
    assert not WithdrawalRequest.objects.exists()


def test_statement_on_screen_and_as_files_says_the_same():
    desk = Desk().settled()
    client = browser(desk.buyer)
    span = {"since": "2026-11-01", "until": "2026-11-30"}

    shown = client.get(reverse("statements"), span).context["accounts"]
    as_csv = client.get(reverse("statement-file", args=["csv"]), span)
    as_xlsx = client.get(reverse("statement-file", args=["xlsx"]), span)

    accounts = [row["account"] for row in shown]
    funds = next(one for one in accounts if one.purpose == "member_funds")
    assert f"#total,closing:{funds.code},{funds.closing_cny:.2f}" in as_csv.content.decode()
    assert as_xlsx.content.startswith(b"PK")
    assert len(as_csv["X-Content-SHA256"]) == 64


def test_bill_and_run_call_the_auction_by_its_name():
    desk = Desk().settled()
    run = SettlementRun.objects.select_related("auction__calendar").get()
    bill = browser(desk.buyer).get(reverse("bill", args=[buyers_bill(desk).public_id]))
    page = browser(desk.people["finance"]).get(reverse("settlement-run", args=[run.public_id]))

    for shown in (bill, page):
        assert auction_name(run.auction) in text_of(shown)
        assert run.auction.code in text_of(shown)


@pytest.mark.parametrize(
    "span",
    [
        {"since": "2026-11-30", "until": "2026-11-01"},
        {"since": "yesterday"},
        {"since": "2020-01-01", "until": "2026-11-01"},
    ],
)
def test_wrong_spans_say_so_and_show_the_present_month(span):
    desk = Desk()

    answer = browser(desk.buyer).get(reverse("statements"), span)

    assert answer.status_code == 200
    assert answer.context["filter_form"].errors
    assert str(answer.context["span"].starts_on) == "2026-11-01"


def test_unknown_file_format_is_not_found():
    desk = Desk()

    assert browser(desk.buyer).get(reverse("statement-file", args=["exe"])).status_code == 404


def test_bill_shows_lines_that_sum_and_is_a_pdf():
    desk = Desk().settled()
    bill = buyers_bill(desk)
    client = browser(desk.buyer)

    page = client.get(reverse("bill", args=[bill.public_id]))
    pdf = client.get(reverse("bill-pdf", args=[bill.public_id]))

    lines = list(page.context["page_obj"])
    assert sum(line.net_cny for line in lines) == bill.net.amount
    assert bill.number in text_of(page)
    assert pdf.content.startswith(b"%PDF-")


def test_bills_are_filtered_and_exported():
    desk = Desk().settled()
    client = browser(desk.buyer)

    body = client.get(reverse("bills-csv")).content.decode("utf-8-sig")
    none = client.get(reverse("bills"), {"direction": "payable"})

    assert buyers_bill(desk).number in body
    assert none.context["page_obj"].paginator.count == 0


def tax_invoice(desk: Desk, **changes: str) -> dict[str, str]:
    """Return the form of a tax invoice that matches the statement."""
    lines = suppliers_statement(desk).lines.filter(kind="compute")
    vat = sum(line.vat_cny for line in lines)
    return {
        "tax_number": "26110000000000012345",
        "issued_on": "2026-11-24",
        "amount": f"{sum(line.net_cny for line in lines) + vat:.2f}",
        "vat": f"{vat:.2f}",
        **changes,
    }


def test_tax_invoice_is_entered_by_one_and_checked_by_another():
    desk = Desk().settled()
    url = reverse("tax-invoice-new", args=[suppliers_statement(desk).public_id])

    browser(desk.supplier).post(url, tax_invoice(desk))
    entered = SupplierInvoice.objects.get()
    check = reverse("tax-approve", args=[entered.public_id])
    question = browser(desk.people["finance"]).get(check)
    browser(desk.people["finance"]).post(check, {"reason": ""})

    entered.refresh_from_db()
    assert entered.tax_number in text_of(question)
    assert (entered.state, entered.decided_by) == ("checked", desk.people["finance"].user)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tax_number": "123"}, "tax_number"),
        ({"tax_number": "2611000000000001234X"}, "tax_number"),
        ({"amount": "abc"}, "amount"),
        ({"vat": "-1"}, "vat"),
        ({"issued_on": "gestern"}, "issued_on"),
    ],
)
def test_wrong_tax_invoices_are_refused_beside_the_field(changes, field):
    desk = Desk().settled()
    url = reverse("tax-invoice-new", args=[suppliers_statement(desk).public_id])

    answer = browser(desk.supplier).post(url, tax_invoice(desk, **changes))

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not SupplierInvoice.objects.exists()


def test_tax_invoice_that_differs_cannot_be_found_right():
    desk = Desk().settled()
    url = reverse("tax-invoice-new", args=[suppliers_statement(desk).public_id])
    browser(desk.supplier).post(url, tax_invoice(desk, amount="1.00"))
    entered = SupplierInvoice.objects.get()

    answer = browser(desk.people["finance"]).post(
        reverse("tax-approve", args=[entered.public_id]), {"reason": ""}
    )

    entered.refresh_from_db()
    assert answer.status_code == 422
    assert entered.state == "received"
