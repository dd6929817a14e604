"""Contracts in the browser: drawn up, sent, signed by both parties or declined; list and file."""

import csv
import io

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.models import Role
from orders.models import Allocation
from settlement.models import Contract, ContractState, Invoice
from settlement.selectors.banking.contracts import sums_of
from settlement.services.banking.contracts import draw_up_contracts, send_contract
from tests.web.desks import Desk, browser, colleague, text_of
from tests.web.test_desk_languages import foreign_words

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 contract"


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def desk():
    return Desk().settled()


def sent_contracts(desk, allocation=None):
    finance = desk.people["finance"]
    one = allocation or Allocation.objects.order_by("pk").first()
    return [
        send_contract(actor=finance, public_id=each.public_id, draw=lambda _one: PDF)
        for each in draw_up_contracts(actor=finance, allocation=one)
    ]


def page(name, one):
    return reverse(name, args=[one.public_id])


def test_finance_draws_up_and_sends_what_both_parties_sign(desk):
    finance, buyer = browser(desk.people["finance"]), browser(desk.buyer)
    number = Allocation.objects.order_by("pk").first().number

    wrong = finance.post(reverse("contract-new"), {"confirmation": "ALC-0"})
    made = finance.post(reverse("contract-new"), {"confirmation": f" {number} "})
    sale = Contract.objects.get(side="sale")
    assert (wrong.status_code, made.status_code) == (422, 302)
    assert Contract.objects.count() == 2
    assert buyer.get(page("contract", sale)).status_code == 404

    finance.post(page("contract-send", sale), {"confirmed": "yes"})
    shown = text_of(buyer.get(page("contract", sale)))
    assert page("contract-sign", sale) in shown
    assert page("contract-void", sale) not in shown
    assert page("delivery", desk.delivery) in shown
    assert page("contract", sale) in text_of(buyer.get(page("delivery", desk.delivery)))
    bill = Invoice.objects.get(direction="receivable")
    assert page("bill", bill) in shown

    buyer.post(page("contract-sign", sale), {"confirmed": "yes"})
    assert page("contract-sign", sale) not in text_of(buyer.get(page("contract", sale)))
    finance.post(page("contract-sign", sale), {"confirmed": "yes"})
    sale.refresh_from_db()
    assert sale.state == ContractState.SIGNED


def test_the_file_is_the_very_document_that_was_sent(desk, folders):
    sale, _purchase = sent_contracts(desk)
    buyer = browser(desk.buyer)

    answer = buyer.get(page("contract-pdf", sale))
    assert (answer["Content-Type"], answer.content) == ("application/pdf", PDF)
    (folders / "signatures" / "outbox" / sale.envelope / "document.pdf").write_bytes(b"other")
    assert buyer.get(page("contract-pdf", sale)).status_code == 302


def test_a_draft_is_drawn_with_its_tax(desk):
    finance = desk.people["finance"]
    one = draw_up_contracts(actor=finance, allocation=Allocation.objects.order_by("pk").first())[0]

    answer = browser(finance).get(page("contract-pdf", one))

    reader = pypdf.PdfReader(io.BytesIO(answer.content))
    words = "".join(each.extract_text() for each in reader.pages)
    net, vat = sums_of(one).net, sums_of(one).vat
    assert "算力服务合同" in words
    assert {f"{sum_:,.2f}" for sum_ in (net, vat, net + vat)} <= set(words.split())


def test_declining_needs_a_reason_that_the_other_party_reads(desk):
    _sale, purchase = sent_contracts(desk)
    supplier = browser(desk.supplier)

    assert supplier.post(page("contract-decline", purchase), {"reason": ""}).status_code == 422
    answer = supplier.post(page("contract-decline", purchase), {"reason": "wrong hours"})
    assert answer.status_code == 302
    assert "wrong hours" in text_of(browser(desk.people["finance"]).get(page("contract", purchase)))
    assert "Declined" in text_of(supplier.get(page("contract", purchase)))


def test_who_only_reads_is_not_asked_to_sign(desk):
    sale, _purchase = sent_contracts(desk)
    reader = browser(colleague(desk.buying, Role.AUDITOR))

    assert page("contract-sign", sale) not in text_of(reader.get(page("contract", sale)))
    assert reader.get(page("contract-sign", sale)).status_code == 404


def test_voiding_and_asking_the_service_are_finance_s(desk):
    sale, purchase = sent_contracts(desk)
    finance = browser(desk.people["finance"])

    assert finance.post(page("contract-collect", sale), {"confirmed": "yes"}).status_code == 422
    answer = finance.post(page("contract-void", purchase), {"reason": "wrong price"})
    assert answer.status_code == 302
    purchase.refresh_from_db()
    assert purchase.state == ContractState.VOID


def rows_of(client, **asked):
    text = text_of(client.get(reverse("contracts-csv"), asked)).removeprefix("\ufeff")
    return [row["number"] for row in csv.DictReader(io.StringIO(text))]


def test_the_list_is_narrowed_by_state_month_party_and_number(desk):
    sale, purchase = sent_contracts(desk)
    books = browser(desk.people["auditor"])
    month = f"{sale.allocation.starts_at:%Y-%m}"

    assert rows_of(books) == [purchase.number, sale.number]
    assert rows_of(browser(desk.buyer)) == [sale.number]
    assert rows_of(browser(desk.supplier)) == [purchase.number]
    assert rows_of(books, party=desk.buying.name_zh) == [sale.number]
    assert rows_of(books, party=desk.selling.code) == [purchase.number]
    market = desk.people["finance"].organisation
    assert rows_of(books, party=market.code) == [purchase.number, sale.number]
    assert rows_of(books, q=sale.number) == [sale.number]
    assert len(rows_of(books, q=sale.allocation.number)) == 2
    assert rows_of(books, state="signed") == []
    assert len(rows_of(books, month=month)) == 2
    assert rows_of(books, month="2020-01") == []
    assert "meets these filters" in text_of(books.get(reverse("contracts"), {"state": "signed"}))


def test_the_list_says_what_to_do_when_it_is_empty(desk):
    for person, words in (
        (desk.buyer, "finance draws them up"),
        (desk.people["finance"], "number of a confirmation"),
    ):
        assert words in text_of(browser(person).get(reverse("contracts")))


@pytest.mark.parametrize("who", ["finance", "buyer"])
@pytest.mark.parametrize("name", ["contracts", "contracts-csv"])
def test_the_list_costs_no_more_queries_with_more_rows(desk, who, name):
    actor = desk.buyer if who == "buyer" else desk.people[who]
    first, second = Allocation.objects.order_by("pk")
    sent_contracts(desk, first)
    before = queries_of(actor, name)
    sent_contracts(desk, second)

    assert queries_of(actor, name) == before


def queries_of(actor, name):
    client = browser(actor)
    client.get(reverse(name))
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(name))
    return len(queries)


def test_chinese_pages_of_contracts_hold_no_untranslated_word(desk):
    sale, _purchase = sent_contracts(desk)
    data = {"SHA", "person", "example", "com", "company", "standing", "Listing"}
    urls = [reverse("contracts"), *(page(name, sale) for name in ("contract", "contract-sign"))]
    urls.append(page("contract-decline", sale))
    own = browser(desk.buyer, language="zh-hans")
    for url in urls:
        assert foreign_words(text_of(own.get(url)), data) == set(), url
    finance = browser(desk.people["finance"], language="zh-hans")
    for name in ("contract-send", "contract-collect", "contract-void"):
        assert foreign_words(text_of(finance.get(page(name, sale))), data) == set(), name
    assert foreign_words(text_of(finance.get(reverse("contract-new"))), data) == set()
