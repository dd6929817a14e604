"""Hours with expected green surplus, for the search of capacity and for the bid form."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.http import HttpRequest

from marketplace.context_processors import clock_of
from marketplace.models import Hub
from orders.models import Auction
from orders.selectors.green_hours import GreenWindow, green_windows, green_windows_of_auction

AHEAD = timedelta(hours=24)
MOST_HUBS = 4
_CACHE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class GreenHub:
    """A hub with its windows of expected surplus."""

    hub: Hub
    windows: list[GreenWindow]


def green_hours(request: HttpRequest) -> dict[int, list[GreenWindow]]:
    """Return the windows of the coming 24 hours by hub id.

    They are the same for every visitor and are kept for a minute, or until market time passes the
    hour: a search does not add them up anew.
    """
    now = clock_of(request).now.replace(minute=0, second=0, microsecond=0)
    key = f"green-hours:{now.isoformat()}"
    found: dict[int, list[GreenWindow]] | None = cache.get(key)
    if found is None:
        hubs = Hub.objects.filter(has_supply=True, trades=True).values_list("pk", flat=True)
        found = green_windows(hubs=list(hubs), starts_at=now, ends_at=now + AHEAD)
        cache.set(key, found, _CACHE_SECONDS)
    return found


def green_hubs(auction: Auction, hubs: Iterable[Hub]) -> list[GreenHub]:
    """Return the hubs with most surplus among some, within an auction's periods."""
    by_id = {hub.pk: hub for hub in hubs}
    found = green_windows_of_auction(auction=auction, hubs=list(by_id))
    ranked = sorted(found, key=lambda pk: (-sum(w.surplus_wh for w in found[pk]), by_id[pk].code))
    return [GreenHub(by_id[pk], found[pk]) for pk in ranked[:MOST_HUBS]]
