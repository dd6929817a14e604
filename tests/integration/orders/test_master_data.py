"""Hubs, links, products, calendars and dated terms change without touching any book."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.domain.errors import NotPermitted, RuleBroken
from marketplace.models import AuditEvent, Hub, HubKind, Link, MarketRules, PriceBand, Side
from marketplace.selectors.rules import rules_at
from marketplace.services.clock import set_clock
from marketplace.services.market_terms import (
    apply_due_bands,
    propose_market_rules,
    propose_price_band,
)
from orders.models import AuctionBand
from orders.selectors.bands import traded_product
from orders.services.control import approve
from orders.services.master_data import (
    delete_hub,
    save_calendar,
    save_hub,
    save_link,
    save_product,
)
from tests.factories.marketplace import HubFactory, operator
from tests.factories.orders import START, bid, frozen, open_auction_now, published, stop_clock
from tests.factories.trading import Market, buyer, two_hub_market

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def market() -> Market:
    stop_clock()
    return two_hub_market()


def _code(act, **arguments) -> str:
    with pytest.raises(RuleBroken) as caught:
        act(**arguments)
    return caught.value.code


def _new_band(market: Market, low: str, high: str, at=START + HOUR) -> None:
    request = propose_price_band(
        actor=operator(),
        product=market.product,
        price_min=Decimal(low),
        price_max=Decimal(high),
        valid_from=at,
        reason="prices fell",
    )
    approve(actor=operator(), public_id=request.public_id)


def test_a_new_band_binds_the_next_auction_and_not_the_open_one(market: Market) -> None:
    open_now = open_auction_now()
    old_max = market.product.price_max
    _new_band(market, "0", "6")
    market.product.refresh_from_db()
    assert market.product.price_max == old_max

    set_clock(market_at=START + HOUR, speed=Decimal(0), is_demo=True)
    assert apply_due_bands(now=START + HOUR) == 1
    assert apply_due_bands(now=START + HOUR) == 0
    market.product.refresh_from_db()
    later = open_auction_now(calendar=open_now.calendar, gate_opens_at=START + HOUR)

    assert market.product.price_max == 6
    assert traded_product(open_now, "AI-T").price_max == old_max
    assert traded_product(later, "AI-T").price_max == 6
    with pytest.raises(RuleBroken) as caught:
        bid(buyer(), later, market.product, market.city, (8, 10))
    assert caught.value.code == "price_out_of_band"
    assert AuctionBand.objects.filter(auction=later).count() == 1
    assert later.orders.count() == 1  # the ask of 9 is above the band and was not copied


def test_orders_of_an_open_auction_keep_their_band_through_freezing(market: Market) -> None:
    auction = open_auction_now()
    order = bid(buyer(), auction, market.product, market.city, (8, 10))
    _new_band(market, "0", "3", START + timedelta(minutes=10))
    apply_due_bands(now=START + timedelta(minutes=20))

    published(auction)

    order.refresh_from_db()
    assert (order.state, order.accepted_unit_hours) == ("filled", 40)


def test_a_band_is_dated_on_the_tick_and_decided_by_two(market: Market) -> None:
    arguments = {"actor": operator(), "product": market.product, "reason": "why"}
    later = START + HOUR

    def propose(low: str, high: str, at=later) -> str:
        prices = {"price_min": Decimal(low), "price_max": Decimal(high)}
        return _code(propose_price_band, **arguments, **prices, valid_from=at)

    assert propose("0", "6", START) == "not_in_the_future"
    assert propose("7", "6") == "band_upside_down"
    assert propose("0", "6.001") == "off_price_tick"
    assert not PriceBand.objects.exists()


def test_market_rules_begin_at_their_date(market: Market) -> None:
    before = rules_at(START)
    request = propose_market_rules(
        actor=operator(),
        valid_from=START + HOUR,
        reason="new fee",
        changes={"buyer_fee_rate": Decimal("0.007"), "resale_allowed": True},
    )
    assert rules_at(START + HOUR) == before
    approve(actor=operator(), public_id=request.public_id)

    after = rules_at(START + HOUR)
    assert (after.buyer_fee_rate, after.resale_allowed) == (Decimal("0.007"), True)
    assert after.seller_fee_rate == before.seller_fee_rate
    assert rules_at(START + HOUR - timedelta(seconds=1)) == before
    assert MarketRules.objects.count() == 2
    too_high = {"buyer_fee_rate": Decimal("0.9")}
    common = {"actor": operator(), "reason": "x", "valid_from": START + 2 * HOUR}
    assert _code(propose_market_rules, **common, changes=too_high) == "out_of_range"
    same = {"buyer_fee_rate": Decimal("0.007")}
    assert _code(propose_market_rules, **common, changes=same) == "nothing_changes"


def test_a_hub_in_use_stays(market: Market) -> None:
    actor = operator()
    spare = save_hub(
        actor=actor,
        hub=None,
        values={
            "code": "SPARE",
            "name_zh": "备用节点",
            "name_en": "Spare",
            "short_zh": "备用",
            "short_en": "Spare",
            "kind": HubKind.MUNICIPAL,
            "side": Side.EAST,
        },
    )
    assert _code(delete_hub, actor=actor, hub=market.west) == "hub_in_use"
    stop = {"trades": False}
    assert _code(save_hub, actor=actor, hub=market.west, values=stop) == "hub_in_use"
    code = {"code": "OTHER"}
    assert _code(save_hub, actor=actor, hub=market.west, values=code) == "field_fixed"
    with pytest.raises(NotPermitted):
        delete_hub(actor=buyer(), hub=spare)

    delete_hub(actor=actor, hub=spare)

    assert not Hub.objects.filter(code="SPARE").exists()
    actions = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["hub.added", "hub.deleted"]


def test_one_link_serves_both_directions_and_keeps_what_is_sold(market: Market) -> None:
    actor = operator()
    link = Link.objects.get(from_hub=market.west)
    backwards = {
        "from_hub": market.east,
        "to_hub": market.west,
        "rtt_ms": Decimal(20),
        "tariff_cny_per_gbps_hour": Decimal(1),
        "forward_gbps": Decimal(10),
        "reverse_gbps": Decimal(10),
    }
    assert _code(save_link, actor=actor, link=None, values=backwards) == "link_exists"
    one_way = {**backwards, "from_hub": HubFactory(code="NEW"), "reverse_gbps": None}
    assert _code(save_link, actor=actor, link=None, values=one_way) == "missing"

    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city, (8, 10))
    frozen(auction)
    less = {"forward_gbps": Decimal("0.5")}
    assert _code(save_link, actor=actor, link=link, values=less) == "book_in_clearing"


def test_sold_bandwidth_is_not_taken_away(market: Market) -> None:
    actor = operator()
    link = Link.objects.get(from_hub=market.west)
    auction = open_auction_now()
    bid(buyer(), auction, market.product, market.city, (8, 10))
    published(auction)

    less = {"forward_gbps": Decimal("0.5")}
    assert _code(save_link, actor=actor, link=link, values=less) == "link_sold"
    assert save_link(actor=actor, link=link, values={"forward_gbps": Decimal(1)}).forward_gbps == 1


def test_products_and_calendars_keep_what_orders_rest_on(market: Market) -> None:
    actor = operator()
    auction = open_auction_now()
    tick = {"price_tick": Decimal("0.5")}
    assert _code(save_product, actor=actor, product=market.product, values=tick) == "field_fixed"
    save_product(actor=actor, product=market.product, values={"name_en": "Renamed"})
    market.product.refresh_from_db()
    assert market.product.name_en == "Renamed"

    calendar = auction.calendar
    upside_down = {"gate_closes_lead_minutes": 40 * 60}
    refused = _code(save_calendar, actor=actor, calendar=calendar, values=upside_down)
    closes_at = auction.gate_closes_at
    save_calendar(
        actor=actor,
        calendar=calendar,
        values={"no_cancel_minutes": 45},
        products=[market.product],
    )
    auction.refresh_from_db()
    assert (refused, auction.gate_closes_at) == ("gates_upside_down", closes_at)
    assert AuditEvent.objects.latest("id").after == {
        "no_cancel_minutes": "45",
        "products": ["AI-T"],
    }
