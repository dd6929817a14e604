"""Pages of the auctions and of the orders in them."""

from django.urls import include, path

from orders.web import (
    auction_list,
    auction_pages,
    bid_pages,
    capacity_calendar,
    indicative_card,
    order_pages,
    revision_pages,
    strip,
)

urlpatterns = [
    path("", include("orders.web.market_urls")),
    path("operator/", include("orders.web.operator_urls")),
    path("", include("orders.web.buying_urls")),
    path("capacity/calendar/", capacity_calendar.show_calendar, name="capacity-calendar"),
    path(
        "capacity/calendar/<uuid:public_id>/maintenance/",
        capacity_calendar.plan_in_calendar,
        name="capacity-maintenance",
    ),
    path("auctions/", auction_list.list_auctions, name="auctions"),
    path("auctions/strip/", strip.show_strip, name="auction-strip"),
    path("auctions/<slug:code>/", auction_pages.show_auction, name="auction"),
    path("auctions/<slug:code>/live/", auction_pages.show_live, name="auction-live"),
    path("auctions/<slug:code>/prices.csv", auction_pages.export_prices, name="auction-prices"),
    path(
        "auctions/<slug:code>/indicative.csv",
        indicative_card.export_indicative,
        name="auction-indicative",
    ),
    path(
        "auctions/<slug:code>/bundle.zip",
        auction_pages.download_bundle,
        {"part": "bundle"},
        name="auction-bundle",
    ),
    path(
        "auctions/<slug:code>/result.zip",
        auction_pages.download_bundle,
        {"part": "result"},
        name="auction-result",
    ),
    path("bid/", bid_pages.choose_auction, name="bid"),
    path("auctions/<slug:code>/bid/", bid_pages.place_bid, name="auction-bid"),
    path("auctions/<slug:code>/bid/preview/", bid_pages.preview_bid, name="auction-bid-preview"),
    path("orders/", order_pages.list_orders, name="orders"),
    path("orders/export.csv", order_pages.export_orders, name="orders-csv"),
    path("orders/<uuid:public_id>/", order_pages.show_order, name="order"),
    path("orders/<uuid:public_id>/change/", revision_pages.change_order, name="order-change"),
    path("orders/<uuid:public_id>/cancel/", order_pages.confirm_cancel, name="order-cancel"),
]
