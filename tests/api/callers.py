"""Who calls the interface in a test, and a market to call about."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.test import Client

from marketplace.models import ApiToken
from marketplace.permissions import Actor
from marketplace.services.api_tokens import SCOPES
from orders.models import Auction
from tests.factories.orders import open_auction_now, stop_clock
from tests.factories.trading import Market, two_hub_market


@dataclass
class Caller:
    """A program with a token, or a browser with a session."""

    client: Client
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Any:
        """Read an address below /api/v1/."""
        return self.client.get(f"/api/v1/{path}", query, headers=self._language())

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a JSON body; a text is sent as it is."""
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            text if body is not None else b"",
            content_type=names.pop("Content-Type", "application/json"),
            headers={**self._language(), **names},
        )

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Send a JSON body by POST."""
        return self.send("POST", path, body, **headers)

    def _language(self) -> dict[str, str]:
        return {"Accept-Language": "en", **self.headers}


def program_of(actor: Actor, *scopes: str) -> Caller:
    """Return a program with a token of the actor, with every scope unless told."""
    _token, text = ApiToken.objects.create(
        user=actor.user,
        organisation=actor.organisation,
        expiry=timedelta(days=1),
        name="test",
        scopes=list(scopes or SCOPES),
    )
    return Caller(Client(raise_request_exception=True), {"Authorization": f"Token {text}"})


def browser_of(actor: Actor, *, checks_csrf: bool = False) -> Caller:
    """Return a signed-in browser of the actor."""
    client = Client(enforce_csrf_checks=checks_csrf)
    client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["organisation_id"] = actor.organisation.pk if actor.organisation else None
    session.save()
    return Caller(client)


def stranger() -> Caller:
    """Return somebody without token or session."""
    return Caller(Client())


@dataclass(frozen=True)
class Day:
    """A market with an open auction."""

    market: Market
    auction: Auction

    def curve(self, **changes: Any) -> dict[str, Any]:
        """Return a curve bid over the whole auction as JSON; None leaves a name out."""
        body = {
            "auction": str(self.auction.public_id),
            "side": "buy",
            "kind": "curve",
            "product": self.market.product.code,
            "hub": self.market.city.code,
            "first_period": 1,
            "last_period": self.auction.period_count,
            "steps": [{"price": "8.00", "quantity": "10"}],
        }
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    def block(self, **changes: Any) -> dict[str, Any]:
        """Return a block bid over the whole auction as JSON."""
        figures = {"kind": "block", "steps": None, "quantity": "10", "limit_price": "8.00"}
        return self.curve(**{**figures, **changes})

    def ask(self, **changes: Any) -> dict[str, Any]:
        """Return a curve ask from the western listing as JSON."""
        names = {"side": "sell", "hub": None, "listing": str(self.market.west_listing.public_id)}
        return self.curve(**{**names, **changes})


def open_day() -> Day:
    """Return a market at a standing clock with an open auction."""
    stop_clock()
    market = two_hub_market()
    return Day(market, open_auction_now())
