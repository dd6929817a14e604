"""The steps of the tutorials, taken in the browser in both languages, with their pictures.

``pytest tests/e2e/test_tutorial.py --write-tutorial-pictures`` puts the pictures where the
tutorials show them; otherwise they go to the artifacts. The words that the tutorials quote are
looked for in the catalogue by tests/architecture/test_tutorial_words.py.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from config import env
from marketplace.domain.periods import market_date
from tests.e2e import people
from tests.e2e.artifacts import artifacts
from tests.e2e.service import Service, running_service
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.fuller
SHOWN = env.BASE_DIR / "docs" / "images" / "tutorial"
WIDTH, QUALITY = 1000, 60
CHARTS = """() => [...document.querySelectorAll("[data-chart]")].every((chart) =>
  !chart.clientWidth || chart.dataset.drawnWidth)"""
FIRST = "main tbody tr a"
SAVE = "main form button[name=confirmed], main form .form-actions .btn-primary"
EVIDENCE = {"en": "Please name the evidence.", "zh-hans": "请注明证明材料。"}
RISING = {"en": "The prices of the steps must rise.", "zh-hans": "各档价格必须逐档升高。"}
ONE_PRICE = {
    "en": "Only a curve has several prices and quantities.",
    "zh-hans": "仅曲线申报可以填写多档价格和数量。",
}
ANOTHER = {
    "en": "You entered it; another person decides.",
    "zh-hans": "由您登记，须另一人审批。",
}


@dataclass(frozen=True)
class Camera:
    """Takes the pictures of one language."""

    service: Service
    codes: dict[str, str]
    language: str
    folder: Path
    browser: Browser
    open_ones: list[Visitor]

    def sign_in(self, email: str) -> Visitor:
        """Open a browser for somebody."""
        visitor = Visitor(self.browser, self.service.url, language=self.language)
        self.open_ones.append(visitor)
        return visitor.sign_in(email, people.PASSWORD)

    def take(self, visitor: Visitor, name: str) -> None:
        """Keep what the window shows, small enough for a page of documentation."""
        visitor.page.wait_for_function(CHARTS)
        picture = Image.open(io.BytesIO(visitor.page.screenshot(animations="disabled")))
        small = picture.convert("RGB").resize((WIDTH, picture.height * WIDTH // picture.width))
        ending = "zh" if self.language == "zh-hans" else "en"
        small.save(self.folder / f"{name}-{ending}.webp", quality=QUALITY, method=6)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A market of its own: on the shared one, others have played and turned the clock before."""
    with running_service() as running:
        yield running


@pytest.fixture(scope="module")
def codes(service: Service) -> dict[str, str]:
    """A settled day, an open auction, and work left on the desks."""
    found: dict[str, str] = service.do("play", orders_per_buyer=4)
    service.do("leave_work")
    return found


@pytest.fixture(params=["zh-hans", "en"])
def camera(
    request: pytest.FixtureRequest,
    service: Service,
    codes: dict[str, str],
    browsers: dict[str, Browser],
) -> Iterator[Camera]:
    folder = artifacts() / "tutorial"
    folder = SHOWN if request.config.getoption("--write-tutorial-pictures") else folder
    folder.mkdir(parents=True, exist_ok=True)
    made = Camera(service, codes, request.param, folder, browsers[request.param], [])
    yield made
    for visitor in made.open_ones:
        visitor.close()


def _refused(visitor: Visitor, selector: str, words: dict[str, str]) -> None:
    with visitor.page.expect_navigation(wait_until="load"):
        visitor.page.locator(selector).first.click()
    assert words[visitor.language] in visitor.text("main"), visitor.refusals()
    # A browser says on its console that an answer was 422; that is what was wanted.
    visitor.complaints = [one for one in visitor.complaints if "422" not in one]


def test_the_supplier_s_tutorial(camera: Camera) -> None:
    supplier = camera.sign_in(people.SUPPLIER)
    supplier.go("/capacity/pools/new/")
    supplier.choose("product", "910B")
    supplier.field("hub").select_option(index=1)
    supplier.fill(name=f"Tutorial {camera.language}", unit_count="64", pue="1.15", green_share="60")
    supplier.field("dengbao_level").select_option("3")
    _refused(supplier, SAVE, EVIDENCE)
    supplier.field("dengbao_level").select_option(index=0)
    supplier.press(SAVE)
    camera.take(supplier, "supplier-1-pool")
    supplier.press("main a[href*='/capacity/listings/new/']")
    supplier.fill(name=f"Tutorial {camera.language}", quantity="32", min_run_hours="1")
    for row, (quantity, price) in enumerate((("16", "6.50"), ("16", "6.20"))):
        supplier.field(f"steps-{row}-quantity").fill(quantity)
        supplier.field(f"steps-{row}-price").fill(price)
    tomorrow = market_date(datetime.fromisoformat(camera.service.do("clock"))) + timedelta(days=1)
    supplier.field("windows-0-starts_at").fill(f"{tomorrow}T00:00")
    supplier.field("windows-0-ends_at").fill(f"{tomorrow + timedelta(days=2)}T00:00")
    _refused(supplier, "button[name=save]", RISING)
    supplier.field("steps-1-price").fill("7.20")
    supplier.press("button[name=save]")
    camera.take(supplier, "supplier-2-listing")
    supplier.press("button[name=confirmed]")
    supplier.go("/deliveries/?view=to-hand-over")
    supplier.press(FIRST)
    camera.take(supplier, "supplier-3-delivery")
    supplier.go("/payouts/")
    camera.take(supplier, "supplier-4-payouts")
    supplier.check_quiet()


def test_the_buyer_s_tutorial(camera: Camera) -> None:
    buyer = camera.sign_in(people.BUYER)
    buyer.go("/market/?city=SH&scenario=model_training&product=AI-910B")
    camera.take(buyer, "buyer-1-market")
    buyer.go(f"/auctions/{camera.codes['open']}/bid/?product=AI-910B&hub=SH")
    buyer.fill(price_1="9.00", quantity_1="8", price_2="7.50", quantity_2="16")
    buyer.page.locator("#bid-hold").wait_for()
    camera.take(buyer, "buyer-2-bid")
    buyer.page.locator("main input[name=kind][value=block]").check()
    _refused(buyer, "button[name=review]", ONE_PRICE)
    buyer.page.locator("main input[name=kind][value=curve]").check()
    buyer.press("button[name=review]")
    buyer.press("button[name=confirmed]")
    buyer.go("/orders/?state=partly_filled")
    buyer.press(FIRST)
    camera.take(buyer, "buyer-3-order")
    buyer.go("/deliveries/?view=bought&state=settled")
    buyer.press(FIRST)
    camera.take(buyer, "buyer-4-delivery")
    buyer.check_quiet()


def test_the_operator_s_tutorial(camera: Camera) -> None:
    operator = camera.sign_in(people.OPERATOR)
    operator.go("/admissions/?state=pending")
    operator.press("main tbody th a")
    camera.take(operator, "operator-1-admission")
    operator.go(f"/operator/auctions/{camera.codes['played']}/")
    camera.take(operator, "operator-2-control")
    operator.go(f"/operator/auctions/{camera.codes['open']}/extend/")
    _refused_empty(operator)
    operator.fill(minutes="15", reason="Network maintenance")
    operator.press(SAVE)
    operator.go("/operator/requests/")
    operator.press("main a[href*='/operator/requests/']:not([href$='/requests/'])")
    camera.take(operator, "operator-3-request")
    operator.press("main a[href*='/withdraw/']")
    operator.fill(reason="for the tutorial")
    operator.press(SAVE)
    operator.go("/operator/audit/")
    camera.take(operator, "operator-4-audit")
    operator.check_quiet()


def _refused_empty(operator: Visitor) -> None:
    """The reason is asked for by the browser itself before anything is sent."""
    field = operator.field("reason")
    assert field.evaluate("(field) => field.required && !field.checkValidity()")


def test_the_finance_tutorial(camera: Camera) -> None:
    finance, second = camera.sign_in(people.FINANCE), camera.sign_in(people.SECOND_FINANCE)
    finance.go("/finance/summary/")
    camera.take(finance, "finance-1-summary")
    reference = f"TUTORIAL-{camera.language}"
    finance.go("/finance/funds/deposits/new/")
    finance.choose("organisation", people.BUYER_CODE)
    finance.fill(amount="50000.00", bank_reference=reference, received_on="2026-11-20")
    finance.press(SAVE)
    finance.go("/finance/funds/")
    assert ANOTHER[camera.language] in finance.text("main")
    camera.take(finance, "finance-2-receipt")
    second.go("/finance/funds/")
    second.press(f"tr:has-text('{reference}') .btn-primary")
    second.press(SAVE)
    finance.go("/finance/bank/")
    finance.press(FIRST)
    camera.take(finance, "finance-3-bank")
    finance.go("/finance/periods/")
    finance.press(FIRST)
    camera.take(finance, "finance-4-month")
    for visitor in (finance, second):
        visitor.check_quiet()
