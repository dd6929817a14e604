"""Pages of this layer that are open to everybody: the daily bulletin and the carbon figures."""

from django.urls import path

from settlement.web import bulletin_pages, carbon_page

DAY = "bulletins/<slug:day>"

urlpatterns = [
    path("bulletins/", bulletin_pages.list_bulletins, name="bulletins"),
    path(f"{DAY}/", bulletin_pages.show_bulletin, name="bulletin"),
    path(f"{DAY}/<slug:language>.pdf", bulletin_pages.download_bulletin, name="bulletin-pdf"),
    path("market-data/carbon/", carbon_page.show_carbon, name="market-carbon"),
    path("market-data/carbon.csv", carbon_page.download_carbon, name="market-carbon-file"),
    path(
        "market-data/carbon/footprint.csv",
        carbon_page.download_footprint,
        name="market-carbon-footprint",
    ),
    path(
        "market-data/carbon/green-supply.csv",
        carbon_page.download_supply,
        name="market-carbon-supply",
    ),
]
