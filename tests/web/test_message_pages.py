"""Message standards on the pages: offered in both languages, given to those who see it."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from settlement.domain.formats.pain001 import PAIN_001
from settlement.domain.formats.ubl import UBL_21
from settlement.models import (
    BankAccount,
    BankStatement,
    Invoice,
    InvoiceDirection,
    PayoutBatch,
)
from settlement.services.banking.payouts import approve_payout_batch
from tests.api.callers import program_of
from tests.factories.bank_messages import camt_xml
from tests.factories.banking import Booking, bank_account
from tests.integration.settlement.banking.test_payouts import make, ready  # noqa: F401
from tests.web.desks import Desk, browser, text_of

DAY = date(2026, 11, 20)
STATEMENT = camt_xml([Booking(DAY, "500.00", "R1", "甲公司", "6222111", "货款")])


@pytest.fixture
def desk(db):
    made = Desk()
    made.selling.bank_name, made.selling.bank_account = "示例银行银川分行", "6222000000009999"
    made.selling.save()
    bank_account(made.people["finance"])
    return made


@pytest.fixture
def batch(ready):  # noqa: F811
    made = make(ready)
    return approve_payout_batch(actor=ready.people["second"], batch_public_id=made.public_id)


def upload(client, data):
    file = SimpleUploadedFile("statement.xml", data, "text/xml")
    return client.post(reverse("bank-import"), {"account": "MAIN", "file": file})


@pytest.mark.parametrize(
    ("language", "label", "hint"),
    [
        ("en", "CSV, XLSX or camt.053 file", "camt.053 files need none"),
        ("zh-hans", "CSV、XLSX 或 camt.053 文件", "camt.053 文件不需要"),
    ],
)
def test_the_import_offers_the_message_in_both_languages(desk, language, label, hint):
    client = browser(desk.people["finance"], language=language)

    assert label in text_of(client.get(reverse("bank-import")))
    assert hint in text_of(client.get(reverse("bank-account-new")))


def test_a_message_is_uploaded_and_a_bad_one_names_its_place(desk):
    client = browser(desk.people["finance"], language="zh-hans")
    bad = upload(client, STATEMENT.replace(b"R1", b"R2").replace(b"500.00</Amt>", b"5e2</Amt>", 2))
    bomb = upload(client, b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + STATEMENT)

    assert (bad.status_code, bomb.status_code) == (422, 422)
    assert "BkToCstmrStmt/Stmt" in text_of(bad)
    assert "不予接受" in text_of(bomb)
    assert BankStatement.objects.count() == 0
    good = upload(client, STATEMENT)
    assert good.url == reverse("bank-statement", args=[BankStatement.objects.get().public_id])
    assert upload(client, STATEMENT).status_code == 422


def test_a_statement_of_another_account_is_refused_on_the_page(desk):
    answer = upload(
        browser(desk.people["finance"]), STATEMENT.replace(b"6222 0000 0000 0001", b"1234")
    )

    assert answer.status_code == 422
    assert "The file is about account 1234, not about 6222000000000001." in text_of(answer)


def test_programs_send_the_message_as_xml(desk):
    finance, buyer = program_of(desk.people["finance"]), program_of(desk.buyer)
    xml = {"Content_Type": "application/xml"}
    address = "bank-accounts/MAIN/statements/"
    made = finance.post(address, STATEMENT, **xml, Idempotency_Key="s-1")
    again = finance.post(address, STATEMENT, **xml, Idempotency_Key="s-1")
    bad = finance.post(address, STATEMENT.replace(b"Ccy=", b"Cur="), **xml)

    assert (made.status_code, again.content) == (201, made.content)
    assert BankStatement.objects.get().filename == "api.xml"
    assert {row["code"] for row in bad.json()["error"]["rows"]} == {"xml_currency_wrong"}
    assert buyer.post(address, STATEMENT, **xml).status_code == 403


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_approved_batch_is_offered_as_a_message(ready, batch, language):  # noqa: F811
    client = browser(ready.people["finance"], language=language)
    url = reverse("payout-batch-message", args=[batch.public_id, "pain.001"])
    page = text_of(client.get(reverse("payout-batch", args=[batch.public_id])))
    answer = client.get(url)

    assert url in page
    assert "ISO 20022 pain.001" in page
    assert (answer["Content-Type"], PAIN_001.read(answer.content).number) == (
        "application/xml",
        batch.number,
    )
    assert f'filename="{batch.number}.xml"' in answer["Content-Disposition"]
    assert client.get(url.replace("pain.001", "pain.008")).status_code == 404


def test_a_batch_without_an_account_says_so_on_its_page(ready, batch):  # noqa: F811
    BankAccount.objects.all().delete()
    client = browser(ready.people["finance"])
    url = reverse("payout-batch-message", args=[batch.public_id, "pain.001"])
    answer = client.get(url, follow=True)

    assert answer.redirect_chain[0][0] == reverse("payout-batch", args=[batch.public_id])
    assert "Name the market&#x27;s bank account first" in text_of(answer)


def test_a_batch_that_nobody_approved_has_no_message(ready):  # noqa: F811
    made = make(ready)
    url = reverse("payout-batch-message", args=[made.public_id, "pain.001"])

    assert PayoutBatch.objects.get().state == "draft"
    assert browser(ready.people["finance"]).get(url).status_code == 404


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_bill_is_offered_as_a_message_to_those_who_see_it(desk, language):
    desk.settled()
    bill = Invoice.objects.get(direction=InvoiceDirection.RECEIVABLE)
    owed = Invoice.objects.get(direction=InvoiceDirection.PAYABLE)
    client = browser(desk.buyer, language=language)
    url = reverse("bill-message", args=[bill.public_id, "ubl-2.1"])
    answer = client.get(url)

    assert url in text_of(client.get(reverse("bill", args=[bill.public_id])))
    assert "UBL 2.1 (EN 16931)" in text_of(client.get(reverse("bill", args=[bill.public_id])))
    assert UBL_21.read(answer.content).due == bill.gross.amount
    assert f'filename="{bill.number}.xml"' in answer["Content-Disposition"]
    assert client.get(url.replace("ubl-2.1", "cii")).status_code == 404
    assert client.get(reverse("bill-message", args=[owed.public_id, "ubl-2.1"])).status_code == 404
    assert browser(desk.supplier).get(url).status_code == 404
