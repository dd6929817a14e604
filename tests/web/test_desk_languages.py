"""No page of the desks shows an English word to a Chinese reader, nor asks more with more rows."""

import re
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.models import Listing
from marketplace.permissions import Actor
from settlement.models import Delivery, Invoice, JournalEntry, SettlementRun
from tests.factories.settlement import Trade, published_auction
from tests.web.desks import Desk, browser, text_of

pytestmark = pytest.mark.django_db

WORD = re.compile(r"[A-Za-z]{3,}")
# Names, codes and units, the same in both languages; the demonstration strip shows both.
SAME_IN_BOTH = {
    *("Hengsuan", "English", "Apache", "CSV", "XLSX", "PDF", "UBL", "PUE"),
    *("UTC", "CNY", "kgCO", "tCO"),
    *("kWh", "IDC", "ISP", "HUB", "cluster", "Person", "Test", "Pool", "demo", "clock", "GiB"),
    *("PNG", "JPEG", "HPL", "Linpack", "SPECrate", "TFLOP"),
    *("min", "GPU", "CPU", "AI", "JSON", "Gbit", "PFLOP", "TEST", "GB", "MB", "UTF"),
}
SILENT = {"script", "style", "code", "pre", "time"}


class Words(HTMLParser):
    """Collects the Latin words that a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = 0
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element; its visible attributes count as well."""
        self.silent += tag in SILENT
        for name, value in attrs:
            if name in {"aria-label", "placeholder", "title", "data-label"}:
                self.found |= set(WORD.findall(value or ""))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        """Look at text."""
        if not self.silent:
            self.found |= set(WORD.findall(data))


def foreign_words(markup: str, data: set[str]) -> set[str]:
    """Return the words of the page's main part that are neither names nor data."""
    main = markup[markup.index("<main") : markup.index("</main>")]
    reader = Words()
    reader.feed(main)
    return reader.found - SAME_IN_BOTH - data


def pages_of(desk: Desk) -> dict[str, list[str]]:
    """Return the addresses that each person looks at."""
    listing = Listing.objects.filter(organisation=desk.selling).first()
    delivery = desk.delivery.public_id
    bought = Invoice.objects.get(direction="receivable").public_id
    sold = Invoice.objects.get(direction="payable", organisation=desk.selling).public_id
    return {
        "supplier": [
            reverse("dashboard"),
            reverse("capacity"),
            reverse("pools"),
            reverse("pool-new"),
            reverse("pool", args=[listing.pool.identifier]),
            reverse("pool-edit", args=[listing.pool.identifier]),
            reverse("pool-offline", args=[listing.pool.identifier]),
            reverse("pool-benchmarks", args=[listing.pool.identifier]),
            reverse("documents"),
            reverse("capacity-calendar"),
            reverse("delivery-record"),
            reverse("payouts"),
            reverse("sign-up-status"),
            reverse("listing-new"),
            reverse("listing-edit", args=[listing.public_id]),
            reverse("my-listing", args=[listing.public_id]),
            reverse("listing-withdraw", args=[listing.public_id]),
            reverse("capacity-import"),
            reverse("deliveries"),
            reverse("deliveries") + "?view=sold",
            reverse("readings-import"),
            reverse("tax-invoices"),
            reverse("bill", args=[sold]),
            reverse("tax-invoice-new", args=[sold]),
        ],
        "buyer": [
            reverse("dashboard"),
            reverse("deliveries"),
            reverse("delivery", args=[delivery]),
            reverse("delivery-accept", args=[delivery]),
            reverse("confirmation", args=[delivery]),
            reverse("balance"),
            reverse("withdraw"),
            reverse("statements"),
            reverse("bills"),
            reverse("bill", args=[bought]),
            reverse("sign-up"),
            reverse("sign-up-status"),
        ],
        "operator": [
            reverse("dashboard"),
            reverse("admissions"),
            reverse("admission", args=[desk.selling.public_id]),
            reverse("admission-suspend", args=[desk.selling.public_id]),
            reverse("auction-control"),
            reverse("auction-control-detail", args=[desk.auction.code]),
            reverse("auction-halt", args=[desk.auction.code]),
            reverse("audit-log"),
            reverse("funds-desk") + "?kind=limits",
            reverse("funds-enter-limits"),
        ],
        "finance": [
            reverse("settlement-summary"),
            reverse("settlement-summary") + "?by=member",
            reverse("settlement-run", args=[SettlementRun.objects.get().public_id]),
            reverse("bill-register"),
            reverse("trial-balance"),
            reverse("ledger-account", args=["1002.01"]),
            reverse("journal-entry", args=[JournalEntry.objects.last().public_id]),
            reverse("funds-desk"),
            reverse("funds-enter-deposits"),
            reverse("tax-queue"),
        ],
    }


def test_chinese_pages_hold_no_untranslated_word():
    desk = Desk().settled()
    people = {"supplier": desk.supplier, "buyer": desk.buyer, **desk.people}
    # Names that the factories give, and the column names of an upload.
    data = {"Listing", "company", "com", "example", "person", "standing", "yes"}
    wrong = []
    for who, urls in pages_of(desk).items():
        client = browser(people[who], language="zh-hans")
        for url in urls:
            answer = client.get(url)
            assert answer.status_code == 200, url
            words = foreign_words(text_of(answer), data)
            if words:
                wrong.append(f"{url}: {sorted(words)}")

    assert not wrong, "\n".join(wrong)


LISTS = {
    "supplier": (
        *("dashboard", "deliveries", "capacity", "pools", "bills", "tax-invoices"),
        *("documents", "payouts", "delivery-record", "capacity-calendar", "hardware"),
    ),
    "buyer": ("deliveries", "balance", "bills", "statements", "dashboard"),
    "operator": ("admissions", "auction-control", "audit-log"),
    "finance": ("settlement-summary", "bill-register", "trial-balance", "funds-desk", "tax-queue"),
}


def test_lists_cost_no_more_queries_with_more_rows():
    desk = Desk().settled()
    people = {"supplier": desk.supplier, "buyer": desk.buyer, **desk.people}
    trades = [Trade(desk.buying, desk.selling, ["2", "2"], "9", "7", "1")] * 6
    published_auction(desk.market, trades)
    before = {pair: queries_of(people[pair[0]], pair[1]) for pair in _lists()}
    for _index in range(3):
        published_auction(desk.market, trades)
    assert Delivery.objects.count() == 26

    after = {pair: queries_of(people[pair[0]], pair[1]) for pair in _lists()}

    assert after == before


def _lists() -> list[tuple[str, str]]:
    return [(who, name) for who, names in LISTS.items() for name in names]


def queries_of(actor: Actor, name: str) -> int:
    """Return how many queries a page takes."""
    client = browser(actor)
    client.get(reverse(name))
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(name))
    return len(queries)
