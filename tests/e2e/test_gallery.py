"""Every main page with lively data: both languages, themes and widths, as pictures.

The pictures go to ``var/artifacts/pages`` (or below HENGSUAN_ARTIFACTS) as
``<page>-<language>-<theme>-<width>.png``; each page is also looked at by axe and for words of the
other language.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e import people
from tests.e2e.artifacts import artifacts
from tests.e2e.inspection import untranslated
from tests.e2e.service import Service
from tests.e2e.visitor import NARROW, WIDE, Visitor

ORDERS_PER_BUYER = 8
LANGUAGES = {"zh": "zh-hans", "en": "en"}
THEMES = ("light", "dark")
WIDTHS = (WIDE, NARROW)
# Charts are drawn again when their width changes.
CHARTS_ARE_DRAWN = """() => document.fonts.status === "loaded"
  && [...document.querySelectorAll("[data-chart]")].every((chart) =>
    !chart.clientWidth || Math.abs(chart.clientWidth - Number(chart.dataset.drawnWidth)) <= 2)"""
FIRST_ROW = "main tbody tr[data-href] a"


@dataclass(frozen=True)
class Shot:
    """A page of the gallery: where it is, who sees it, and what to do there first."""

    name: str
    path: str
    email: str = ""
    act: Callable[[Visitor], None] | None = None


def _type_a_bid(visitor: Visitor) -> None:
    visitor.fill(price_1="9.50", quantity_1="64")
    visitor.fill(price_2="8.00", quantity_2="32")
    visitor.page.locator("#bid-hold").wait_for()


def _open_first(visitor: Visitor) -> None:
    visitor.press(FIRST_ROW)


SHOTS = (
    Shot("01-home", "/"),
    Shot("01-market-data", "/market-data/"),
    Shot("01-market-volumes", "/market-data/volumes/"),
    Shot("01-market-depth", "/market-data/depth/"),
    Shot("01-market-carbon", "/market-data/carbon/"),
    Shot("01-bulletins", "/bulletins/"),
    Shot("01-bulletin", "/bulletins/", act=_open_first),
    Shot("01-downloads", "/downloads/"),
    Shot("01-rules", "/rules/market-rules/"),
    Shot("01-screen", "/screen/"),
    Shot("02-market", "/market/?city=BJ&scenario=cross_hub_inference", people.BUYER),
    Shot("03-auction", "/auctions/{played}/", people.BUYER),
    Shot("04-capacity", "/capacity/", people.SUPPLIER),
    Shot("04-new-listing", "/capacity/listings/new/", people.SUPPLIER),
    Shot("04-pools", "/capacity/pools/", people.SUPPLIER),
    Shot("04-pool", "/capacity/pools/", people.SUPPLIER, _open_first),
    Shot("04-calendar", "/capacity/calendar/", people.SUPPLIER),
    Shot("04-documents", "/documents/", people.SUPPLIER),
    Shot("04-desk", "/dashboard/", people.SUPPLIER),
    Shot("04-record", "/deliveries/record/", people.SUPPLIER),
    Shot("04-payouts", "/payouts/", people.SUPPLIER),
    Shot("04-hardware", "/hardware/"),
    Shot("05-bid", "/auctions/{open}/bid/?product=AI-910B", people.BUYER, _type_a_bid),
    Shot(
        "05-plans",
        "/plans/?scenario=model_training&product=AI-910B&hub=SH&quantity=64&hours=4",
        people.BUYER,
    ),
    Shot("06-orders", "/orders/", people.BUYER),
    Shot("09-finance", "/finance/", people.FINANCE),
    Shot("09-periods", "/finance/periods/", people.FINANCE),
    Shot("09-period", "/finance/periods/", people.FINANCE, _open_first),
    Shot("09-sweeps", "/finance/sweeps/", people.FINANCE),
    Shot("09-bank", "/finance/bank/", people.FINANCE),
    Shot("09-bank-statement", "/finance/bank/", people.FINANCE, _open_first),
    Shot("09-payout-batches", "/finance/payouts/", people.FINANCE),
    Shot("09-payout-batch", "/finance/payouts/", people.FINANCE, _open_first),
    Shot("09-monthly-statements", "/monthly-statements/", people.FINANCE),
    Shot("09-monthly-statement", "/monthly-statements/", people.FINANCE, _open_first),
    Shot("09-tax-requests", "/tax-invoice-requests/", people.FINANCE),
    Shot("09-tax-request", "/tax-invoice-requests/", people.FINANCE, _open_first),
    Shot("09-contracts", "/contracts/", people.FINANCE),
    Shot("09-contract", "/contracts/", people.FINANCE, _open_first),
    Shot("07-contracts", "/contracts/", people.BUYER),
    Shot("07-contract", "/contracts/", people.BUYER, _open_first),
    Shot("14-service-terms", "/service-terms/", people.BUYER),
    Shot("14-service-terms-history", "/service-terms/history/", people.OPERATOR),
    Shot("14-rules-in-force", "/rules-in-force/", people.BUYER),
    Shot("09-workdays", "/finance/workdays/", people.FINANCE),
    Shot("09-accounting-vouchers", "/finance/accounting-vouchers/", people.FINANCE),
    Shot("09-layouts", "/finance/layouts/", people.FINANCE),
    Shot("07-monthly-statements", "/monthly-statements/", people.BUYER),
    Shot("07-tax-requests", "/tax-invoice-requests/", people.BUYER),
    Shot("09-reports", "/finance/reports/", people.FINANCE),
    Shot("09-report-ageing", "/finance/reports/ageing/?side=payable", people.FINANCE),
    Shot("09-report-register", "/finance/reports/bill-register/", people.FINANCE),
    Shot("09-journal", "/finance/entries/", people.FINANCE),
    Shot("09-exports", "/exports/", people.FINANCE),
    Shot("09-own-reports", "/finance/reports/bill-lines/", people.BUYER),
    Shot("06-order", "/orders/?state=partly_filled", people.BUYER, _open_first),
    Shot("10-carbon-statements", "/carbon/statements/", people.BUYER),
    Shot("10-carbon-statement", "/carbon/statements/", people.BUYER, _open_first),
    Shot("10-carbon-pools", "/carbon/statements/?subject=pool", people.SUPPLIER),
    Shot("10-factor-sets", "/carbon/factor-sets/", people.OPERATOR),
    Shot("10-pue", "/carbon/pue/", people.SUPPLIER),
    Shot("10-green-supply", "/carbon/green-supply/", people.SUPPLIER),
    Shot("10-green-supply-pool", "/carbon/green-supply/", people.OPERATOR, _open_first),
    Shot("10-green-source", "/carbon/green-supply/sources/new/", people.SUPPLIER),
    Shot("10-green-upload", "/carbon/green-supply/hours/file/", people.SUPPLIER),
    Shot("10-green-hour", "/carbon/green-supply/hours/new/", people.SUPPLIER),
    Shot("09-green-share", "/finance/reports/green-share/", people.OPERATOR),
    Shot("06-projects", "/projects/", people.BUYER),
    Shot("06-standing-bids", "/standing-bids/", people.BUYER),
    Shot("06-approvals", "/approvals/", people.BUYER),
    Shot("06-usage", "/usage/", people.BUYER),
    Shot("07-deliveries", "/deliveries/", people.BUYER),
    Shot("07-delivery", "/deliveries/?view=bought&state=settled", people.BUYER, _open_first),
    Shot("08-balance", "/balance/", people.BUYER_FINANCE),
    Shot("09-statements", "/statements/", people.BUYER_FINANCE),
    Shot("10-summary", "/finance/summary/?by=member", people.FINANCE),
    Shot("10-runs", "/finance/runs/", people.FINANCE),
    Shot("10-run", "/finance/runs/?only=differences", people.FINANCE, _open_first),
    Shot("10-parked", "/finance/parked/", people.FINANCE),
    Shot("04-meter-keys", "/capacity/meter-keys/", people.SUPPLIER),
    Shot("11-sign-up", "/sign-up/"),
    Shot("11-admissions", "/admissions/", people.OPERATOR),
    Shot("13-account", "/account/", people.BUYER),
    Shot("13-security", "/account/security/", people.OPERATOR),
    Shot("13-second-factor", "/account/second-factor/", people.BUYER),
    Shot("13-people", "/account/people/", people.BUYER),
    Shot("13-tokens", "/account/tokens/new/", people.BUYER),
    Shot("13-webhook", "/account/webhooks/new/", people.BUYER),
    Shot("13-notifications", "/notifications/", people.BUYER),
    Shot("13-notification-settings", "/account/notifications/", people.BUYER),
    Shot("12-auction-control", "/operator/auctions/{open}/", people.OPERATOR),
    Shot("12-control-room", "/operator/", people.OPERATOR),
    Shot("12-requests", "/operator/requests/", people.OPERATOR),
    Shot("12-price-bands", "/operator/bands/", people.OPERATOR),
    Shot("12-market-rules", "/operator/rules/", people.OPERATOR),
    Shot("12-links", "/operator/links/", people.OPERATOR),
    Shot("12-calendar", "/operator/calendars/1/", people.OPERATOR),
    Shot("12-surveillance", "/operator/surveillance/", people.OPERATOR),
    Shot("12-concentration", "/operator/surveillance/concentration/", people.OPERATOR),
    Shot("12-notices", "/notices/new/", people.OPERATOR),
    Shot("12-suggestions", "/suggestions/", people.BUYER),
    Shot("15-recognition", "/recognition/", people.FINANCE),
    Shot("15-own-recognition", "/recognition/", people.SUPPLIER),
    Shot("15-agreements", "/recognition/agreements/", people.SUPPLIER),
    Shot("15-agreement-new", "/recognition/agreements/new/", people.FINANCE),
    Shot("15-cycles", "/recognition/cycles/", people.FINANCE),
    Shot("15-cycle-new", "/recognition/cycles/new/", people.FINANCE),
    Shot("15-own-recognition-one", "/recognition/", people.SUPPLIER, _open_first),
    Shot("16-registries", "/registries/"),
    Shot("16-projects", "/registries/projects/"),
    Shot("16-project", "/registries/projects/", act=_open_first),
    Shot("16-registry-desk", "/registries/desk/", people.OPERATOR),
    Shot("16-registry-file-new", "/registries/files/new/", people.OPERATOR),
    Shot("16-registry-file", "/registries/desk/", people.OPERATOR, _open_first),
    Shot("16-batch", "/holdings/", people.SUPPLIER, _open_first),
    Shot("16-holdings", "/holdings/", people.BUYER),
    Shot("16-own-holdings", "/holdings/", people.SUPPLIER),
    Shot("16-retirements", "/retirements/", people.BUYER),
    Shot("16-retirement", "/retirements/", people.BUYER, _open_first),
    Shot("14-disputes", "/disputes/", people.FINANCE),
    Shot("14-dispute", "/disputes/", people.FINANCE, _open_first),
    Shot("14-own-disputes", "/disputes/", people.BUYER),
    Shot("14-vouchers", "/vouchers/", people.BUYER),
    Shot("14-programmes", "/finance/vouchers/", people.FINANCE),
    Shot("14-programme-new", "/finance/vouchers/new/", people.FINANCE),
    Shot("14-defaults", "/finance/defaults/", people.FINANCE),
    Shot("14-deposits", "/security-deposits/", people.BUYER_FINANCE),
    Shot("14-deposit-new", "/security-deposits/new/", people.BUYER_FINANCE),
    # Lists and forms beside the ones above.
    Shot("17-sign-in", "/sign-in/"),
    Shot("17-password-reset", "/password-reset/"),
    Shot("17-hubs", "/hubs/"),
    Shot("17-auctions", "/auctions/", people.BUYER),
    Shot("17-bills", "/bills/", people.BUYER_FINANCE),
    Shot("17-bill", "/bills/", people.BUYER_FINANCE, _open_first),
    Shot("17-tax-invoices", "/bills/tax-invoices/", people.SUPPLIER),
    Shot("17-withdraw", "/balance/withdraw/", people.BUYER_FINANCE),
    Shot("17-tax-request-new", "/tax-invoice-requests/new/", people.BUYER_FINANCE),
    Shot("17-project-new", "/projects/new/", people.BUYER),
    Shot("17-suggestion-new", "/suggestions/new/", people.BUYER),
    Shot("17-pool-new", "/capacity/pools/new/", people.SUPPLIER),
    Shot("17-capacity-import", "/capacity/import/", people.SUPPLIER),
    Shot("17-readings", "/deliveries/readings/", people.SUPPLIER),
    Shot("17-password", "/account/password/", people.BUYER),
    Shot("17-invite", "/account/people/invite/", people.BUYER),
    Shot("17-tokens", "/account/tokens/", people.BUYER),
    Shot("17-webhooks", "/account/webhooks/", people.BUYER),
    Shot("17-serial", "/registries/serial/"),
    Shot("17-funds", "/finance/funds/", people.FINANCE),
    Shot("17-deposit-new", "/finance/funds/deposits/new/", people.FINANCE),
    Shot("17-limit-new", "/finance/funds/limits/new/", people.FINANCE),
    Shot("17-all-bills", "/finance/bills/", people.FINANCE),
    Shot("17-ledger", "/finance/ledger/", people.FINANCE),
    Shot("17-account-postings", "/finance/ledger/", people.FINANCE, _open_first),
    Shot("17-all-tax-invoices", "/finance/tax-invoices/", people.FINANCE),
    Shot("17-bank-account-new", "/finance/bank/accounts/new/", people.FINANCE),
    Shot("17-bank-import", "/finance/bank/import/", people.FINANCE),
    Shot("17-payout-new", "/finance/payouts/new/", people.FINANCE),
    Shot("17-contract-new", "/contracts/new/", people.FINANCE),
    Shot("17-workdays-import", "/finance/workdays/import/", people.FINANCE),
    Shot("17-statements-issue", "/monthly-statements/issue/", people.FINANCE),
    Shot("17-operator-auctions", "/operator/auctions/", people.OPERATOR),
    Shot("17-audit", "/operator/audit/", people.OPERATOR),
    Shot("17-calendars", "/operator/calendars/", people.OPERATOR),
    Shot("17-calendar-new", "/operator/calendars/new/", people.OPERATOR),
    Shot("17-operator-hubs", "/operator/hubs/", people.OPERATOR),
    Shot("17-hub-new", "/operator/hubs/new/", people.OPERATOR),
    Shot("17-link-new", "/operator/links/new/", people.OPERATOR),
    Shot("17-products", "/operator/products/", people.OPERATOR),
    Shot("17-product-new", "/operator/products/new/", people.OPERATOR),
    Shot("17-rules-new", "/operator/rules/new/", people.OPERATOR),
    Shot("17-factor-set-new", "/carbon/factor-sets/new/", people.OPERATOR),
    Shot("17-sent-notices", "/notices/", people.OPERATOR),
)


@dataclass(frozen=True)
class Gallery:
    """The played market, the people in front of it, and where the pictures go."""

    service: Service
    codes: dict[str, str]
    visitors: dict[tuple[str, str], Visitor]
    folder: Path
    browsers: dict[str, Browser]

    def visitor(self, email: str, language: str) -> Visitor:
        """Return the browser of a person in a language, signed in once for all pages."""
        key = email, language
        if key not in self.visitors:
            visitor = Visitor(self.browsers[language], self.service.url, language=language)
            self.visitors[key] = visitor
            if email:
                visitor.sign_in(email, people.PASSWORD)
        return self.visitors[key]


@pytest.fixture(scope="module")
def gallery(service: Service, browsers: dict[str, Browser]) -> Iterator[Gallery]:
    """A settled day, bids in the next auction, and work left on the desks."""
    codes = service.do("play", orders_per_buyer=ORDERS_PER_BUYER)
    service.do("leave_work")
    folder = artifacts() / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    made = Gallery(service, codes, {}, folder, browsers)
    yield made
    for visitor in made.visitors.values():
        visitor.close()


@pytest.mark.fuller
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_page_is_fit_to_be_shown(gallery: Gallery, shot: Shot, language: str) -> None:
    visitor = gallery.visitor(shot.email, LANGUAGES[language])
    for theme in THEMES:
        visitor.dress(language=LANGUAGES[language], theme=theme)
        visitor.go(shot.path.format(**gallery.codes))
        if shot.act:
            shot.act(visitor)
        for width in WIDTHS:
            visitor.resize(width)
            visitor.page.wait_for_function(CHARTS_ARE_DRAWN)
            _take_picture(visitor.page, gallery.folder / f"{shot.name}-{language}-{theme}-{width}")
            visitor.check()
        visitor.resize(WIDE)
    foreign = untranslated(visitor.page, LANGUAGES[language])
    visitor.page.goto("about:blank")  # pages left open would ask and draw on while others are seen
    assert foreign == []


def _take_picture(page: Page, path: Path) -> None:
    page.screenshot(path=path.with_suffix(".png"), full_page=True, animations="disabled")
