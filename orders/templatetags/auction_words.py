"""Names of auctions on pages; lists select the calendar with the auction."""

from django import template

from orders.web.names import auction_name

register = template.Library()

register.filter("auctionname", auction_name)
