"""What coupling earns: the same book with its links and without them."""

from decimal import Decimal

from orders.clearing import clear
from orders.clearing.coupling import coupling_gain, without_links
from tests.clearing.books import buy, sell, small_auction

LINK = [("W", "E", "20", "0.5", "10")]


def test_coupling_dividend_of_the_full_link_is_its_rent() -> None:
    auction = small_auction(
        [sell("s1", "2", 30), sell("s2", "6", 30, "E"), buy("b1", "10", 25, "E")], links=LINK
    )

    gain = coupling_gain(auction, clear(auction), clear(without_links(auction)))

    assert gain.welfare == gain.congestion_rent == 35
    assert all(hub.buyers == hub.suppliers == 0 for hub in gain.hubs.values())
    assert gain.link_values == {("W", "E", "forward"): Decimal("3.5")}
