"""Who may open which page of suppliers, members' money, the operator and the market's books."""

import pytest
from django.urls import URLPattern, reverse

from marketplace.models import OrganisationState, Role
from marketplace.services.documents import hand_in_document
from marketplace.web import member_urls, supplier_urls
from settlement.models import Invoice, JournalEntry, SettlementRun
from settlement.web import urls as settlement_urls
from tests.factories.marketplace import ListingFactory, OrganisationFactory, PoolFactory, member
from tests.web.desks import Desk, browser, colleague, stranger

WHO = (
    "visitor",
    "applicant",
    "stranger",
    "buyer",
    "supplier",
    "operator",
    "finance",
    "auditor",
)
SUPPLIERS = "302 403 200 403 200 403 403 403"
OWN_LISTING = "302 403 404 403 200 403 403 403"
MONEY = "302 200 200 200 200 403 403 403"
TRADERS = "302 200 200 200 200 403 403 403"
PARTIES = "302 404 404 200 200 200 200 200"
OPERATOR = "302 403 403 403 403 200 403 403"
DESK = "302 403 403 403 403 200 200 200"
BOOKS = "302 403 403 403 403 403 200 200"
KEEPERS = "302 403 403 403 403 403 200 403"

TABLE = {
    "capacity": SUPPLIERS,
    "capacity-csv": SUPPLIERS,
    "capacity-import": SUPPLIERS,
    "capacity-template": SUPPLIERS,
    "pools": SUPPLIERS,
    "pool-new": SUPPLIERS,
    "pool": OWN_LISTING,
    "pool-edit": OWN_LISTING,
    "pool-offline": OWN_LISTING,
    "pool-online": OWN_LISTING,
    "pool-benchmarks": OWN_LISTING,
    "pool-benchmarks-template": OWN_LISTING,
    "hardware": "200 200 200 200 200 200 200 200",
    "documents": "302 200 200 200 200 403 403 403",
    "document": "302 404 404 404 200 200 403 403",
    "document-decide": OPERATOR,
    "listing-new": SUPPLIERS,
    "listing-preview": "302 403 405 403 405 403 403 403",
    "listing-discard": "302 403 405 403 405 403 403 403",
    "listing-edit-preview": "302 403 405 403 405 403 403 403",
    "my-listing": OWN_LISTING,
    "listing-edit": OWN_LISTING,
    "listing-maintenance": "302 403 405 403 405 403 403 403",
    "listing-maintenance-remove": "302 403 405 403 405 403 403 403",
    "listing-pause": OWN_LISTING,
    "listing-resume": OWN_LISTING,
    "listing-withdraw": OWN_LISTING,
    "sign-up": "200 200 200 200 200 200 200 200",
    "sign-up-status": "302 200 200 200 200 200 200 200",
    "sign-up-again": "302 405 405 405 405 405 405 405",
    "admissions": OPERATOR,
    "admissions-csv": OPERATOR,
    "admission": OPERATOR,
    "admission-approve": OPERATOR,
    "admission-reject": OPERATOR,
    "admission-suspend": OPERATOR,
    "dashboard": "302 302 200 200 200 200 200 200",
    "deliveries": TRADERS,
    "deliveries-csv": TRADERS,
    "readings-import": SUPPLIERS,
    "readings-template": SUPPLIERS,
    "delivery": PARTIES,
    "delivery-hand-over": "302 403 405 403 405 403 403 403",
    "delivery-access": "302 403 405 405 403 403 403 403",
    "delivery-accept": "302 403 404 200 403 403 403 403",
    "delivery-give-up": "302 403 404 403 302 403 403 403",
    "delivery-record": SUPPLIERS,
    "delivery-readings": "302 403 405 403 405 403 403 403",
    "confirmation": PARTIES,
    "confirmation-pdf": PARTIES,
    "balance": MONEY,
    "balance-csv": MONEY,
    "usage": "302 200 200 200 403 403 403 403",
    "usage-csv": "302 200 200 200 403 403 403 403",
    "withdraw": "302 403 200 200 200 403 403 403",
    "statements": MONEY,
    "statement-file": MONEY,
    "payouts": "302 200 200 403 200 403 403 403",
    "payouts-csv": "302 200 200 403 200 403 403 403",
    "bills": MONEY,
    "bills-csv": MONEY,
    "tax-invoices": SUPPLIERS,
    "bill": "302 404 404 404 200 403 200 200",
    "bill-pdf": "302 404 404 404 200 403 200 200",
    "bill-message": "302 404 404 404 200 403 200 200",
    "tax-invoice-new": "302 403 404 403 200 403 200 403",
    "settlement-summary": BOOKS,
    "settlement-summary-file": BOOKS,
    "settlement-run": BOOKS,
    "bill-register": BOOKS,
    "bill-register-file": BOOKS,
    "trial-balance": BOOKS,
    "trial-balance-file": BOOKS,
    "ledger-account": BOOKS,
    "journal-entry": BOOKS,
    "funds-desk": DESK,
    "funds-enter-deposits": "302 403 403 403 403 404 200 403",
    "funds-enter-limits": "302 403 403 403 403 200 200 403",
    "funds-approve-deposits": "302 403 403 403 403 404 404 403",
    "funds-reject-deposits": "302 403 403 403 403 404 404 403",
    "funds-approve-limits": "302 403 403 403 403 404 404 403",
    "funds-reject-limits": "302 403 403 403 403 404 404 403",
    "funds-approve-withdrawals": "302 403 403 403 403 404 404 403",
    "funds-reject-withdrawals": "302 403 403 403 403 404 404 403",
    "tax-queue": BOOKS,
    "tax-approve": "302 403 403 403 403 403 404 403",
    "tax-reject": "302 403 403 403 403 403 404 403",
}
DECISIONS = ("funds-approve", "funds-reject", "tax-approve", "tax-reject")
NOBODY = "00000000-0000-4000-8000-000000000000"


def test_every_page_is_in_the_table():
    modules = (supplier_urls, member_urls, settlement_urls)
    # Pages in packages of their own have tables of their own.
    patterns = [pattern for module in modules for pattern in module.urlpatterns]
    names = {pattern.name for pattern in patterns if isinstance(pattern, URLPattern)}

    assert names == set(TABLE)


def _for_each(names: str, argument: object) -> dict[str, list[object]]:
    return {name: [argument] for name in names.split()}


@pytest.mark.django_db
def test_pages_let_in_whom_they_should():
    desk = Desk().settled()
    pool = PoolFactory(organisation=desk.selling)
    listing = ListingFactory(pool=pool)
    document = hand_in_document(
        actor=desk.supplier, kind="business_licence", name="a.pdf", data=b"%PDF-1.7\n%%EOF"
    )
    applying = OrganisationFactory(state=OrganisationState.PENDING)
    people = {
        "visitor": None,
        "applicant": member(applying, Role.BUYER, Role.SUPPLIER, Role.FINANCE),
        "stranger": stranger(),
        "buyer": desk.buyer,
        "supplier": desk.supplier,
        **desk.people,
    }
    statement = Invoice.objects.get(direction="payable", organisation=desk.selling)
    arguments = {
        **_for_each("pool pool-edit pool-offline pool-online", pool.identifier),
        **_for_each("pool-benchmarks pool-benchmarks-template", pool.identifier),
        **_for_each("document document-decide", document.public_id),
        "listing-edit-preview": [listing.public_id],
        "ledger-account": ["1002.01"],
        "journal-entry": [JournalEntry.objects.first().public_id],
        "settlement-run": [SettlementRun.objects.get().public_id],
        **_for_each("my-listing listing-edit listing-maintenance", listing.public_id),
        **_for_each("listing-pause listing-resume listing-withdraw", listing.public_id),
        "listing-maintenance-remove": [listing.public_id, 1],
        **_for_each("admission admission-approve admission-reject", desk.selling.public_id),
        "admission-suspend": [desk.selling.public_id],
        **_for_each("delivery delivery-hand-over delivery-access", desk.delivery.public_id),
        **_for_each("delivery-accept delivery-readings", desk.delivery.public_id),
        "delivery-give-up": [desk.delivery.public_id],
        **_for_each("confirmation confirmation-pdf", desk.delivery.public_id),
        **_for_each("bill bill-pdf tax-invoice-new", statement.public_id),
        "bill-message": [statement.public_id, "ubl-2.1"],
        **{name: ["csv"] for name in TABLE if name.endswith("-file")},
        **{name: [NOBODY] for name in TABLE if name.startswith(DECISIONS)},
    }
    wrong = []
    for who in WHO:
        client = browser(people[who])
        for name, row in TABLE.items():
            expected = row.split()[WHO.index(who)]
            url = reverse(name, args=arguments.get(name, []))
            got = str(client.get(url).status_code)
            if got != expected:
                wrong.append(f"{who} on {name}: {got}, expected {expected}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_a_finance_person_without_trading_role_cannot_act_on_deliveries():
    desk = Desk().handed_over()
    clerk = browser(colleague(desk.buying, Role.FINANCE))

    assert clerk.get(reverse("delivery", args=[desk.delivery.public_id])).status_code == 200
    assert clerk.post(reverse("delivery-access", args=[desk.delivery.public_id])).status_code == 403
    assert clerk.post(reverse("delivery-accept", args=[desk.delivery.public_id])).status_code == 403
