"""The listing that an assignment names is the seller's own."""

from dataclasses import replace

import pytest

from orders.clearing import Result, clear, verify
from orders.clearing.verification_parties import Parties
from tests.clearing.books import block, buy, sell, small_auction

# Two sell from a listing, one from itself, one as a block from a listing and one from itself.
AUCTION = small_auction(
    [
        sell("a", "1", 2, listing_id="L"),
        sell("b", "1", 2, listing_id="M"),
        sell("c", "1", 2),
        buy("x", "9", 10),
    ],
    block("d", "sell", "1", [("W", 1, 2)], listing_id="M"),
    block("e", "sell", "1", [("W", 1, 2)]),
    listings=[{"listing_id": "L", "hub": "W"}, {"listing_id": "M", "hub": "W"}],
)
OWN = {"a": "L", "b": "M", "c": "c", "d": "M", "e": "e"}


@pytest.fixture(scope="module")
def result() -> Result:
    return clear(AUCTION)


def test_every_seller_names_its_own(result: Result) -> None:
    assert {row.sell_order_id: row.listing_id for row in result.assignments} == OWN
    assert verify(AUCTION, result) == []


@pytest.mark.parametrize("named", ["L", "M", "c", "a", "e", "x", "nobody", ""])
def test_another_listing_is_rule_seven(result: Result, named: str) -> None:
    rows = [row._replace(listing_id=named) for row in result.assignments]

    found = verify(AUCTION, replace(result, assignments=tuple(rows)))

    wrong = [own for own in OWN.values() if own != named]
    assert [(v.rule, v.detail) for v in found] == [
        ("7", f"listing {named}, not {own}") for own in wrong
    ]


def test_listings_are_named_one_by_one_only_to_report_them(monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[int] = []
    auction = replace(AUCTION, blocks=())
    listing = Parties.listing

    def note(self: Parties, seat: int, name: str) -> str:
        named.append(seat)
        return listing(self, seat, name)

    monkeypatch.setattr(Parties, "listing", note)
    result = clear(auction)
    assert verify(auction, result) == []
    assert named == []

    rows = tuple(row._replace(listing_id="nobody") for row in result.assignments)

    assert len(verify(auction, replace(result, assignments=rows))) == len(named) == 3
