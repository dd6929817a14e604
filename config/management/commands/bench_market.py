"""Times the market itself: order entry, gate closure to published result, and the list pages.

The whole service is started as ``make demo`` starts it, on a directory of its own; the numbers are
those of the real web server, worker, database and broker. Run by ``make bench``, which names a
directory that is thrown away.
"""

import argparse
import http.cookiejar
import re
import statistics
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.demo.appetite import Buyer
from config.demo.cast import Cast, gather_cast
from config.demo.day import MIDNIGHT, prepare_market
from config.demo.funding import fund
from config.demo.stage import Stage
from config.management.commands.demo import DEMO_PASSWORD
from config.supervision import Supervisor
from marketplace.domain.periods import local_instant
from marketplace.models import Membership, Organisation, Role
from marketplace.selectors.clock import market_now
from marketplace.services.clock import set_clock, set_speed
from orders.models import (
    Auction,
    AuctionState,
    CalendarKind,
    ClearingRun,
    Order,
    OrderKind,
    OrderSide,
)
from orders.services.bulk_submission import submit_bids
from orders.services.submission import OrderRequest, Step, submit_order

ORDERS = 100_000
# The member whose pages are timed holds half of all orders.
LARGEST_SHARE = 0.5
BATCH = 1_000
CLOSING_SPEED = Decimal(3_600)
DEPOSIT_CNY = Decimal(2_000_000_000)
WARM_UP, REPEATS = 2, 15
PATIENCE_S = 900.0
PAGES = {
    "buyer": (
        "/",
        "/market/",
        "/auctions/",
        "/auctions/{auction}/",
        "/orders/",
        "/orders/?page=200",
        "/orders/?state=accepted",
        "/deliveries/",
        "/balance/",
        "/statements/",
        "/bills/",
        "/api/v1/orders/",
    ),
    "supplier": ("/capacity/", "/deliveries/"),
    "operator": (
        "/operator/auctions/",
        "/operator/auctions/{auction}/",
        "/admissions/",
        "/operator/audit/",
    ),
    "finance": ("/finance/summary/", "/finance/bills/", "/finance/ledger/", "/finance/funds/"),
}


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was timed, and the figure with its unit."""

    what: str
    figure: str


class Visitor:
    """A signed-in person who asks for pages over HTTP."""

    def __init__(self, url: str, email: str, password: str) -> None:
        """Sign in, with the code that the demonstration shows where one is asked for."""
        self._url = url.rstrip("/")
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        page = self._send("/sign-in/", username=email, password=password)
        shown = re.search(r">(\d{6})<", page)
        if shown:
            page = self._send(urllib.parse.urlsplit(self._last).path, code=shown[1])

    def seconds(self, path: str) -> float:
        """Return how long the whole answer took."""
        begun = time.perf_counter()
        with self._opener.open(self._url + path) as answer:
            answer.read()
        return time.perf_counter() - begun

    def _send(self, path: str, **fields: str) -> str:
        with self._opener.open(self._url + path) as answer:
            form = answer.read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        if token is None:
            raise CommandError(f"{path} has no form")
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        headers = {"Referer": self._url + path}
        asked = urllib.request.Request(  # noqa: S310 - our own server
            self._url + path, data=body, headers=headers
        )
        with self._opener.open(asked) as answer:
            self._last: str = answer.url
            return str(answer.read().decode())


def measure(orders: int, *, say: Callable[[str], None]) -> Iterator[Finding]:
    """Start the service, fill one auction, close it and look at the pages."""

    with Supervisor(port=None, say=say) as service:
        stage = Stage(say=say, watch=service.check)
        day = prepare_market(stage, password=DEMO_PASSWORD)
        auction = _opened(stage, day)
        yield from _enter_orders(auction, orders)
        yield from _clear(stage, auction)
        yield from _look_at_pages(service.url, DEMO_PASSWORD, auction)


def _opened(stage: Stage, day: date) -> Auction:

    found = Auction.objects.filter(
        calendar__kind=CalendarKind.DAY_AHEAD,
        delivery_starts_at=local_instant(day, MIDNIGHT),
        state="open",
    )
    stage.wait_for("opening the day-ahead auction", found.exists)
    set_speed(speed=Decimal(0))  # the gate waits for the last order
    return found.select_related("calendar").get()


def _enter_orders(auction: Auction, count: int) -> Iterator[Finding]:

    cast = gather_cast()
    for member in Organisation.objects.filter(code__in=cast.buying):
        fund(member, deposit_cny=DEPOSIT_CNY, credit_cny=Decimal(0), note="BENCH")
    largest, others = cast.buyers[0], cast.buyers[1:]
    of_largest = int(count * LARGEST_SHARE)
    shares = [(largest, of_largest), *((b, (count - of_largest) // len(others)) for b in others)]
    dice = Random(20261122)  # noqa: S311 - a bench's dice, not a secret
    bids = [
        (cast.buying[buyer.organisation_code], _bid(dice, auction, buyer, cast))
        for buyer, number in shares
        for _ in range(number)
    ]
    one_by_one = bids[:300]
    begun = time.perf_counter()
    for actor, request in one_by_one:
        submit_order(actor=actor, request=request)
    took = time.perf_counter() - begun
    yield Finding("order entry, one order a transaction, one client", f"{300 / took:,.0f} orders/s")
    begun = time.perf_counter()
    outcomes: Counter[bool] = Counter()
    for first in range(300, len(bids), BATCH):
        taken = submit_bids(auction=auction, bids=bids[first : first + BATCH])
        outcomes.update(isinstance(one, Order) for one in taken)
    took = time.perf_counter() - begun
    if outcomes[False]:
        raise CommandError(f"{outcomes[False]} orders were refused")
    rate = (len(bids) - 300) / took
    yield Finding(
        f"order entry, {BATCH:,} orders a transaction, one client", f"{rate:,.0f} orders/s"
    )


def _bid(dice: Random, auction: Auction, buyer: Buyer, cast: Cast) -> OrderRequest:
    """Draw a curve bid of one to three hours and a few lots around the reference price."""

    product = dice.choice(cast.products)
    first = dice.randint(1, 22)
    ticks = round(product.reference_price * Decimal(dice.gauss(1, 0.2)) / product.price_tick)
    price = min(max(ticks, 1) * product.price_tick, product.price_max)
    return OrderRequest(
        auction=auction.public_id,
        side=OrderSide.BUY,
        kind=OrderKind.CURVE,
        product=product.code,
        hub=buyer.home_hub,
        first_period=first,
        last_period=first + dice.randint(0, 2),
        steps=(Step(price=price, quantity=dice.randint(1, 4) * product.quantity_lot),),
        max_rtt_ms=None,
        scenario=dice.choice(buyer.scenarios),
    )


def _clear(stage: Stage, auction: Auction) -> Iterator[Finding]:

    set_clock(
        market_at=auction.gate_closes_at - timedelta(seconds=1), speed=Decimal(1), is_demo=True
    )
    stage.wait_for("the gate", lambda: market_now() >= auction.gate_closes_at)
    begun = time.perf_counter()
    done = {AuctionState.PUBLISHED, AuctionState.SETTLING}
    deadline = time.monotonic() + PATIENCE_S
    while True:
        auction.refresh_from_db()
        if auction.state in done:
            break
        if auction.state in {AuctionState.PARKED, AuctionState.HALTED} or (
            time.monotonic() > deadline
        ):
            raise CommandError(f"{auction.code} is {auction.state}: {auction.state_reason}")
        stage.watch()
        time.sleep(0.1)
    took = time.perf_counter() - begun
    run = ClearingRun.objects.filter(auction=auction).latest("pk")
    yield Finding(
        f"{run.order_count:,} orders of one to three hours, gate closure to published result,"
        " all rows written",
        f"{took:,.1f} s",
    )


def _look_at_pages(url: str, password: str, auction: Auction) -> Iterator[Finding]:
    for role, email in _people().items():
        visitor = Visitor(url, email, password)
        for path in PAGES[role]:
            address = path.format(auction=auction.code)
            for _ in range(WARM_UP):
                visitor.seconds(address)
            taken = sorted(visitor.seconds(address) for _ in range(REPEATS))
            middle, worst = statistics.median(taken) * 1000, taken[-1] * 1000
            yield Finding(
                f"{role}: {path.format(auction='…')}", f"{middle:,.0f} ms (slowest {worst:,.0f} ms)"
            )


def _people() -> dict[str, str]:

    largest = gather_cast().buyers[0].organisation_code

    def email(role: Role, **where: Any) -> str:
        found = Membership.objects.filter(role=role, **where).order_by("id").first()
        if found is None:
            raise CommandError(f"nobody is a {role}")
        return found.user.email

    return {
        "buyer": email(Role.BUYER, organisation__code=largest),
        "supplier": email(Role.SUPPLIER, organisation__is_platform=False),
        "operator": email(Role.OPERATOR, organisation__is_platform=True),
        "finance": email(Role.FINANCE, organisation__is_platform=True),
    }


class Command(BaseCommand):
    """Fills, clears and looks at a market in the directory of HENGSUAN_VAR."""

    help = "Time order entry, clearing in the database and the pages on a market of its own."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the size of the book, and where the table goes."""
        parser.add_argument("--orders", type=int, default=ORDERS)
        parser.add_argument("--out", type=Path, help="write the table here as well")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        lines = ["| what | figure |", "|---|---|"]
        for found in measure(options["orders"], say=self.stdout.write):
            lines.append(f"| {found.what} | {found.figure} |")
            self.stdout.write(lines[-1])
        if options["out"]:
            options["out"].write_text("\n".join(lines) + "\n")
