"""Runs the whole service for the browser tests and does there what no page does.

Started as a program of its own (``python -m tests.e2e.director``), so that the tests need no
database: it reads one command a line from its input and answers each with one line. Everything the
service says goes to its log. It ends, and the service with it, when its input ends.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import django
from django.db.models import QuerySet

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.demo")
django.setup()

from config.demo import trading  # noqa: E402
from config.demo.appetite import Appetite  # noqa: E402
from config.demo.cast import gather_cast  # noqa: E402
from config.demo.day import DONE, play_day, prepare_market  # noqa: E402
from config.demo.month import play_month  # noqa: E402
from config.demo.stage import Stage  # noqa: E402
from config.embedded.process import free_port  # noqa: E402
from config.supervision import Supervisor  # noqa: E402
from marketplace.domain.credit_code import complete_credit_code  # noqa: E402
from marketplace.domain.periods import market_date  # noqa: E402
from marketplace.models import Membership, Organisation, Role  # noqa: E402
from marketplace.permissions import actor_for  # noqa: E402
from marketplace.selectors.clock import market_now  # noqa: E402
from marketplace.services.clock import set_clock, set_speed  # noqa: E402
from marketplace.services.member_seed import extend_calendars  # noqa: E402
from marketplace.services.sign_up import Person, sign_up  # noqa: E402
from orders.models import Auction, AuctionState, CalendarKind, OrderSource  # noqa: E402
from settlement.models import Account, SettlementRun, SettlementState  # noqa: E402
from settlement.services.funds import request_withdrawal  # noqa: E402
from tests.e2e.people import PASSWORD  # noqa: E402

REAL_TIME = Decimal(1)
BEFORE_THE_GATE = timedelta(minutes=20)
AFTER_THE_DAY = timedelta(minutes=5)


class Director:
    """The commands; each method's name is a command, its arguments are the command's."""

    def __init__(self, service: Supervisor) -> None:
        self._stage = Stage(say=_say, watch=service.check)

    def prepare(self) -> None:
        """Seed members, money and calendars."""
        prepare_market(self._stage, password=PASSWORD, has_past=True)
        set_speed(speed=REAL_TIME)

    def play(self, orders_per_buyer: int) -> dict[str, str]:
        """Play a whole day of the demonstration's members, and bid for the days after it.

        Answers the codes of the settled auction and of one that is open.
        """
        appetite = replace(trading.DAY_AHEAD_APPETITE, orders_per_buyer=orders_per_buyer)
        trading.DAY_AHEAD_APPETITE = appetite
        busy = Stage(say=_say, watch=lambda: self._bid_for_other_days(appetite))
        extend_calendars(days=6)
        untouched = self._untouched()
        self._stage.wait_for("an auction without bids", untouched.exists)
        auction = untouched.earliest("gate_closes_at")
        self._set_clock(auction.gate_closes_at - BEFORE_THE_GATE)
        played = play_day(busy, day=market_date(auction.delivery_starts_at))
        play_month(busy)
        set_speed(speed=REAL_TIME)
        following = self._day_ahead(AuctionState.values).get(
            delivery_starts_at=played.delivery_ends_at
        )
        self._wait_for_state(following, DONE)
        self._bid_for_other_days(appetite)
        opened = self._day_ahead([AuctionState.OPEN]).earliest("gate_closes_at")
        return {"played": played.code, "open": opened.code}

    def _bid_for_other_days(self, appetite: Appetite) -> None:
        """Let the members bid in every open auction that they have not bid in."""
        self._stage.watch()
        for auction in self._untouched():
            trading.place_orders(gather_cast(), auction, appetite)

    def _untouched(self) -> QuerySet[Auction]:
        """Return the auctions that take bids for a while yet and have none of the members."""
        found = self._day_ahead([AuctionState.OPEN]).filter(
            gate_closes_at__gt=market_now() + BEFORE_THE_GATE / 2
        )
        return found.exclude(orders__source=OrderSource.DEMO)

    def _day_ahead(self, states: Iterable[str]) -> QuerySet[Auction]:
        return Auction.objects.filter(calendar__kind=CalendarKind.DAY_AHEAD, state__in=states)

    def leave_work(self) -> None:
        """Leave what desks have to decide: an application for admission, a withdrawal."""
        sign_up(
            person=Person(email="feng.qi@yunling.example", password=PASSWORD, display_name="冯琦"),
            name_zh="重庆云岭智算有限公司",
            name_en="Chongqing Yunling Intelligent Computing Co., Ltd.",
            credit_code=complete_credit_code("91500100XXE2E0001"),
            is_supplier=True,
            is_buyer=False,
            city="重庆",
            telecom_licence_kind="B11",
            telecom_licence_number="B1-EX249001",
        )
        finance = Membership.objects.get(organisation__code="ZHIXING", role=Role.FINANCE)
        actor = actor_for(user=finance.user, organisation_id=finance.organisation_id)
        request_withdrawal(actor=actor, amount_cny=Decimal("12000.00"))

    def accounts_open(self, credit_code: str) -> None:
        """Wait until settlement has opened the accounts of a member that was admitted."""
        member = Organisation.objects.get(credit_code=credit_code)
        opened = Account.objects.filter(organisation=member)
        self._stage.wait_for(f"opening the accounts of {member.code}", opened.exists)

    def open_next_auction(self) -> dict[str, str]:
        """Move the clock until the next day-ahead auction opens; answer its code and times."""
        extend_calendars(days=6)
        scheduled = self._day_ahead([AuctionState.SCHEDULED])
        self._stage.wait_for("a scheduled day-ahead auction", scheduled.exists)
        auction = scheduled.earliest("gate_opens_at")
        self._set_clock(auction.gate_opens_at)
        self._wait_for_state(auction, {AuctionState.OPEN})
        return {"code": auction.code, "starts_at": auction.delivery_starts_at.isoformat()}

    def close_gate(self, code: str) -> None:
        """Move the clock to gate closure and wait until the results are published."""
        auction = Auction.objects.get(code=code)
        self._set_clock(auction.gate_closes_at)
        self._wait_for_state(auction, DONE)

    def clock(self) -> str:
        """Answer the market time."""
        return market_now().isoformat()

    def move_clock(self, to: str) -> None:
        """Move the clock forward to an instant."""
        self._set_clock(datetime.fromisoformat(to))

    def end_day(self, code: str) -> None:
        """Move the clock past the last delivery and wait until the auction is settled."""
        auction = Auction.objects.get(code=code)
        self._set_clock(auction.delivery_ends_at + AFTER_THE_DAY)
        posted = SettlementRun.objects.filter(auction=auction, state=SettlementState.POSTED)
        self._stage.wait_for(f"settling {code}", posted.exists)

    def _set_clock(self, to: datetime) -> None:
        set_speed(speed=REAL_TIME)  # first, so that nothing passes while we look
        if to > market_now():
            set_clock(market_at=to, speed=REAL_TIME, is_demo=True)

    def _wait_for_state(self, auction: Auction, states: set[str] | frozenset[str]) -> None:
        def reached() -> bool:
            auction.refresh_from_db()
            if auction.state == AuctionState.PARKED:
                raise RuntimeError(f"{auction.code} is parked: {auction.state_reason}")
            return auction.state in states

        self._stage.wait_for(f"{auction.code} {' or '.join(sorted(states))}", reached)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _answer(stream: Any, **answer: Any) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


def main() -> None:
    """Start the service, say where it is, and obey until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed belongs to the log
    with Supervisor(port=free_port(), say=_say) as service:
        director = Director(service)
        _answer(answers, result=service.url)
        for line in sys.stdin:
            command = json.loads(line)
            method: Callable[..., Any] = getattr(director, command["do"])
            try:
                _answer(answers, result=method(**command["args"]))
            except Exception as error:  # noqa: BLE001 - the test that asked shall fail with it
                _answer(answers, error=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
