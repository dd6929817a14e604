"""Pages of published figures; open to everybody."""

from django.urls import path

from orders.web import downloads, market_data, market_files, screen

urlpatterns = [
    path("downloads/", downloads.list_downloads, name="downloads"),
    path("screen/", screen.show_screen, name="screen"),
    path("screen/board/", screen.show_board, name="screen-board"),
    path("market-data/", market_data.show_prices, name="market-data"),
    path("market-data/volumes/", market_data.show_volumes, name="market-volumes"),
    path("market-data/depth/", market_data.show_depth, name="market-depth"),
    path("market-data/<slug:dataset>.csv", market_files.download_figures, name="market-data-file"),
]
