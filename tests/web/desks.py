"""Browsers for page tests: somebody signed in, in a language, and a settled market to look at."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from orders.models import Auction
from settlement.models import Delivery
from settlement.services.deliveries import complete_due_deliveries
from settlement.services.metering import ReadingDraft, record_readings
from settlement.services.settling import settle_auction
from tests.factories.marketplace import OrganisationFactory, member
from tests.factories.settlement import (
    DELIVERY_STARTS,
    Market,
    Trade,
    deliver,
    funded,
    move_clock,
    published_auction,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"
HOUR = timedelta(hours=1)


def browser(actor: Actor | None = None, *, language: str = "en") -> Client:
    """Return a browser, signed in as the actor when one is given."""
    client = Client(raise_request_exception=True)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    if actor is not None:
        client.force_login(actor.user, backend=BACKEND)
    return client


def text_of(response: HttpResponse) -> str:
    """Return the body of an answer."""
    return response.content.decode()


def colleague(organisation: Organisation, *roles: Role) -> Actor:
    """Return another person of an organisation with these roles."""
    return member(organisation, *roles)


def platform_people() -> dict[str, Actor]:
    """Return the platform's people by role, and a second finance person."""
    platform = Organisation.objects.filter(is_platform=True).first() or OrganisationFactory(
        is_platform=True,
        is_supplier=False,
        is_buyer=False,
        bank_name="示例银行北京分行",
        bank_account="6222000000000001",
    )
    return {
        "operator": member(platform, Role.OPERATOR),
        "finance": member(platform, Role.FINANCE),
        "second": member(platform, Role.FINANCE),
        "auditor": member(platform, Role.AUDITOR),
    }


@dataclass
class Desk:
    """A market with two members and one auction of two deliveries, taken as far as a test asks."""

    market: Market = field(default_factory=Market)
    buying: Organisation = field(default_factory=lambda: funded("100000", is_supplier=False))
    selling: Organisation = field(default_factory=lambda: funded("0", is_buyer=False))
    auction: Auction = field(init=False)
    people: dict[str, Actor] = field(default_factory=platform_people)

    def __post_init__(self) -> None:
        self.auction = published_auction(
            self.market,
            [
                Trade(self.buying, self.selling, ["10", "10", "8"], "9", "7", "1"),
                Trade(self.buying, self.selling, ["4", "4", "4"], "9", "7", "1"),
            ],
        )
        self.buyer = member(self.buying, Role.BUYER, Role.FINANCE)
        self.supplier = member(self.selling, Role.SUPPLIER, Role.FINANCE)

    @property
    def delivery(self) -> Delivery:
        """The first delivery."""
        return Delivery.objects.filter(allocation__auction=self.auction).order_by("pk")[0]

    def handed_over(self) -> "Desk":
        """Hand over and confirm everything."""
        deliver(self.auction)
        return self

    def metered(self) -> "Desk":
        """Meter every period after delivery, the first delivery short in its second hour."""
        self.handed_over()
        move_clock(DELIVERY_STARTS + 4 * HOUR)
        for number, delivery in enumerate(
            Delivery.objects.filter(allocation__auction=self.auction).order_by("pk")
        ):
            periods = delivery.allocation.periods.order_by("period")
            drafts = [
                ReadingDraft(
                    str(delivery.public_id),
                    period.starts_at,
                    period.ends_at,
                    Decimal(6) if (number, period.period) == (0, 2) else period.quantity,
                )
                for period in periods
            ]
            record_readings(actor=self.supplier, drafts=drafts, source="test")
        return self

    def settled(self) -> "Desk":
        """Complete and settle everything."""
        self.metered()
        complete_due_deliveries(DELIVERY_STARTS + 4 * HOUR)
        settle_auction(auction_id=self.auction.pk)
        return self


def stranger(*roles: Role) -> Actor:
    """Return a person of a member that has nothing to do with the desk."""
    organisation = funded("0")
    return member(organisation, *(roles or (Role.BUYER, Role.SUPPLIER, Role.FINANCE)))
