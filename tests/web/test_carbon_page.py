"""Carbon figures of the hubs, checked by hand."""

from decimal import Decimal

import pytest
from django.urls import reverse

from settlement.models import GridEmissionFactor
from settlement.selectors.hub_carbon import hub_carbon
from tests.factories.trading import two_hub_market
from tests.web.desks import browser, text_of

pytestmark = pytest.mark.django_db


def test_grams_are_watts_times_pue_times_the_newest_factor_of_the_province() -> None:
    market = two_hub_market()
    pool = market.west_listing.pool
    for year, factor in ((2022, "0.9000"), (2023, "0.6000")):
        GridEmissionFactor.objects.update_or_create(
            province_en=market.west.grid_province,
            year=year,
            level="province",
            basis="average",
            defaults={"kg_per_kwh": Decimal(factor), "province_zh": "省", "confidence": "A"},
        )

    west = next(entry for entry in hub_carbon() if entry.hub == market.west)

    assert west.factor.year == 2023
    assert west.pue == pool.pue
    assert west.green_share == pool.green_share
    assert west.grams_of(market.product) == pytest.approx(
        pool.power_w_per_unit * pool.pue * Decimal("0.6")
    )
    assert west.grams_per_it_kwh == pytest.approx(pool.pue * 600)


def test_page_and_file_show_the_hubs_on_offer() -> None:
    market = two_hub_market()

    page = browser().get(reverse("market-carbon"))
    lines = text_of(browser().get(reverse("market-carbon-file"))).splitlines()

    assert {row["entry"].hub for row in page.context["rows"]} == {market.west, market.east}
    assert lines[0].endswith("product,gco2_per_unit_hour")


def test_without_offers_the_page_says_so() -> None:
    assert "Nothing is on offer now." in text_of(browser().get(reverse("market-carbon")))
