"""Pages of the auctions and of the orders in them."""

from django.urls import path

from orders.web import strip

urlpatterns = [
    path("auctions/strip/", strip.show_strip, name="auction-strip"),
]
