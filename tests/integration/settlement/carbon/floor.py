"""A settled day of two deliveries, ready to be stated."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from marketplace.models import Organisation
from settlement.models import Delivery
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.metering import record_reading
from settlement.services.settling import settle_auction
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    as_seller,
    deliver,
    funded,
    move_clock,
    published_auction,
)

MONTH = date(2026, 11, 1)
HOUR = timedelta(hours=1)
WATTS = "670"
PUE = "1.1850"


@dataclass
class SettledDay:
    """The organisations and deliveries of the day."""

    buyer: Organisation
    seller: Organisation
    deliveries: list[Delivery]


def settled_day(*, energy_wh: int | None = None) -> SettledDay:
    """Settle a day: 10 cards for 3 hours of an unread delivery, 7 of one read in its first hour."""
    market = Market()
    load_factor_sets()
    buyer = funded("5000", code="BUYA", name_zh="买方甲")
    seller = funded(code="SELS", name_zh="供方甲")
    auction = published_auction(
        market,
        [
            Trade(buyer, seller, ["10", "10", "10"], "5.3337", "5.01", "0.2", hold="171.77"),
            Trade(buyer, seller, ["7", "7", "7"], "5.3337", "5.01", "0.2", hold="120.24"),
        ],
    )
    deliveries = deliver(auction)
    for each in deliveries:
        pool = each.allocation.listing.pool
        pool.power_w_per_unit, pool.pue = Decimal(WATTS), Decimal(PUE)
        pool.save(update_fields=["power_w_per_unit", "pue"])
    move_clock(DELIVERY_STARTS + 9 * HOUR)
    record_reading(
        actor=as_seller(seller),
        delivery_public_id=deliveries[1].public_id,
        starts_at=DELIVERY_STARTS,
        ends_at=DELIVERY_STARTS + HOUR,
        quantity=Decimal(5),
        energy_wh=energy_wh,
    )
    complete_due_deliveries(DELIVERY_STARTS + 9 * HOUR)
    settle_auction(auction_id=auction.pk)
    return SettledDay(buyer, seller, deliveries)
