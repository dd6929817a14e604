"""Times the market itself: order entry, gate closure to published result, and the list pages.

The whole service is started as ``make demo`` starts it, on a directory of its own; the numbers are
those of the real web server, worker, database and broker. Run by ``make bench``.
"""

import argparse
import http.cookiejar
import os
import re
import shutil
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

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
    "operator": ("/operator/auctions/", "/operator/auctions/{auction}/", "/admissions/", "/operator/audit/"),
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
        shown = re.search(r'>(\d{6})<', page)
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
            raise SystemExit(f"{path} has no form")
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        headers = {"Referer": self._url + path}
        asked = urllib.request.Request(self._url + path, data=body, headers=headers)  # noqa: S310
        with self._opener.open(asked) as answer:
            self._last: str = answer.url
            return str(answer.read().decode())


def measure(orders: int) -> Iterator[Finding]:
    """Start the service, fill one auction, close it and look at the pages."""
    from config.demo.day import Stage, prepare_market
    from config.management.commands.demo import DEMO_PASSWORD
    from config.supervision import Supervisor

    with Supervisor(port=None, say=print) as service:
        stage = Stage(say=print, watch=service.check)
        day = prepare_market(stage, password=DEMO_PASSWORD)
        auction = _opened(stage, day)
        yield from _enter_orders(auction, orders)
        yield from _clear(stage, auction)
        yield from _look_at_pages(service.url, DEMO_PASSWORD, auction)


def _opened(stage: Any, day: Any) -> Any:
    from config.demo.day import MIDNIGHT
    from marketplace.domain.periods import local_instant
    from marketplace.services.clock import set_speed
    from orders.models import Auction, CalendarKind

    found = Auction.objects.filter(
        calendar__kind=CalendarKind.DAY_AHEAD,
        delivery_starts_at=local_instant(day, MIDNIGHT),
        state="open",
    )
    stage.wait_for("opening the day-ahead auction", found.exists)
    set_speed(speed=Decimal(0))  # the gate waits for the last order
    return found.select_related("calendar").get()


def _enter_orders(auction: Any, count: int) -> Iterator[Finding]:
    from config.demo import trading
    from config.demo.appetite import Appetite, draw_orders
    from config.demo.cast import gather_cast
    from config.demo.funding import fund
    from orders.models import Order
    from orders.services.bulk_submission import submit_bids
    from orders.services.submission import submit_order

    cast = gather_cast()
    for actor in cast.buying.values():
        fund(actor.organisation, deposit_cny=DEPOSIT_CNY, credit_cny=Decimal(0), note="BENCH")
    largest, others = cast.buyers[0], cast.buyers[1:]
    of_largest = int(count * LARGEST_SHARE)
    shares = [(largest, of_largest), *((b, (count - of_largest) // len(others)) for b in others)]
    bids = []
    for buyer, number in shares:
        drawn = draw_orders(
            seed=f"bench:{buyer.organisation_code}",
            buyers=[buyer],
            products=cast.products,
            scenarios=cast.scenarios,
            appetite=Appetite(24, number, 0.0, Decimal("0.0002")),
        )
        bids += [(cast.buying[one.organisation_code], trading.request(auction, one)) for one in drawn]
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
        raise SystemExit(f"{outcomes[False]} orders were refused")
    rate = (len(bids) - 300) / took
    yield Finding(f"order entry, {BATCH:,} orders a transaction, one client", f"{rate:,.0f} orders/s")


def _clear(stage: Any, auction: Any) -> Iterator[Finding]:
    from marketplace.selectors.clock import market_now
    from marketplace.services.clock import set_clock
    from orders.models import AuctionState, ClearingRun

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
            raise SystemExit(f"{auction.code} is {auction.state}: {auction.state_reason}")
        stage.watch()
        time.sleep(0.1)
    took = time.perf_counter() - begun
    run = ClearingRun.objects.filter(auction=auction).latest("pk")
    yield Finding(
        f"{run.order_count:,} orders, gate closure to published result, all rows written",
        f"{took:,.1f} s",
    )


def _look_at_pages(url: str, password: str, auction: Any) -> Iterator[Finding]:
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
    from config.demo.cast import gather_cast
    from marketplace.models import Membership, Role

    largest = gather_cast().buyers[0].organisation_code

    def email(role: Role, **where: Any) -> str:
        found = Membership.objects.filter(role=role, **where).order_by("id").first()
        if found is None:
            raise SystemExit(f"nobody is a {role}")
        return found.user.email

    return {
        "buyer": email(Role.BUYER, organisation__code=largest),
        "supplier": email(Role.SUPPLIER, organisation__is_platform=False),
        "operator": email(Role.OPERATOR, organisation__is_platform=True),
        "finance": email(Role.FINANCE, organisation__is_platform=True),
    }


def measured(orders: int = ORDERS) -> str:
    """Return the section of the benchmarks page, measured now on a market of its own."""
    lines = ["| what | figure |", "|---|---|"]
    for found in measure(orders):
        lines.append(f"| {found.what} | {found.figure} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print; the directory of the market is removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--out", type=Path, help="write the table here as well")
    chosen = parser.parse_args()
    var = tempfile.mkdtemp(prefix="hengsuan-bench-")
    Path(var).chmod(0o755)
    os.environ["HENGSUAN_VAR"] = var
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.demo")
    try:
        import django

        django.setup()
        table = measured(chosen.orders)
    finally:
        shutil.rmtree(var, ignore_errors=True)
    if chosen.out:
        chosen.out.write_text(table)


if __name__ == "__main__":
    main()
