"""Three data centres of the demonstration with a settled day, before the recognition month."""

from dataclasses import dataclass
from datetime import timedelta

from config.demo.cast import Cast, gather_cast
from marketplace.models import Organisation
from settlement.models import Delivery
from settlement.services.carbon.factors import load_factor_sets
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.metering import ReadingDraft, record_readings
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
from tests.web.desks import platform_people

NAMES = (
    ("韶关数据中心", "Shaoguan data centre"),
    ("重庆数据中心", "Chongqing data centre"),
    ("张家口数据中心", "Zhangjiakou data centre"),
)


@dataclass(frozen=True)
class Quiet:
    """A stage without an audience."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def watch(self) -> None:
        """Watch nothing."""


def three_data_centres() -> Cast:
    """Settle three hours of many thousand cards in each of three data centres."""
    market = Market()
    platform_people()
    load_factor_sets()
    buyer = funded("100000000", is_supplier=False)
    sellers = [funded("0", is_buyer=False, name_zh=zh, name_en=en) for zh, en in NAMES]
    auction = published_auction(
        market,
        [
            Trade(buyer, seller, [str(cards)] * 3, "9", "7")
            for seller, cards in zip(sellers, (9000, 7000, 5000), strict=True)
        ],
    )
    deliver(auction)
    ended = DELIVERY_STARTS + timedelta(hours=4)
    move_clock(ended)
    for delivery in Delivery.objects.select_related("allocation__seller"):
        drafts = [
            ReadingDraft(str(delivery.public_id), period.starts_at, period.ends_at, period.quantity)
            for period in delivery.allocation.periods.all()
        ]
        seller = as_seller(delivery.allocation.seller)
        record_readings(actor=seller, drafts=drafts, source="test")
    complete_due_deliveries(ended)
    settle_auction(auction_id=auction.pk)
    Organisation.objects.filter(is_platform=False).update(is_demo_bot=True)
    return gather_cast()
