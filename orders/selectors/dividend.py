"""What coupling earned, for pages and documents."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from marketplace.models import Hub
from orders.models import (
    Auction,
    ClearingRun,
    CouplingDividend,
    DividendState,
    HubDividend,
    LinkDividend,
    RunState,
)

KG_PER_TONNE = 1000


@dataclass(frozen=True)
class Dividend:
    """The coupling dividend of a published run.

    Attributes:
        auction: the auction.
        published_at: market time.
        welfare_gain_cny: welfare less that of the same book with its links closed; CNY.
        share: of the closed market's welfare; None where that is zero.
        congestion_rent_cny: the part of the gain that links earned.
        avoided_co2_t: tonnes the same work would have emitted more at the closed market's
            intensity; negative where coupling moved it to dirtier hubs, None where unknown.
        coupled_unit_hours: served with coupling.
        closed_unit_hours: served without.
        hubs: gains of buyers and suppliers by hub, the largest gain first.
        links: what the next Gbit/s of each full link direction is worth, the dearest first.
    """

    auction: Auction
    published_at: datetime | None
    welfare_gain_cny: Decimal
    share: Decimal | None
    congestion_rent_cny: Decimal
    avoided_co2_t: Decimal | None
    coupled_unit_hours: Decimal
    closed_unit_hours: Decimal
    hubs: list[HubDividend]
    links: list[LinkDividend]

    @property
    def best_link(self) -> LinkDividend | None:
        """The link direction whose next Gbit/s is worth most."""
        return self.links[0] if self.links else None

    @property
    def winner(self) -> Hub | None:
        """The hub that gained most; None if none gained."""
        best = self.hubs[0] if self.hubs else None
        if best is None or best.buyers_gain_cny + best.suppliers_gain_cny <= 0:
            return None
        return best.hub


def dividend_of(run: ClearingRun) -> Dividend | None:
    """Return the dividend of a published run, None while it is not computed."""
    row = CouplingDividend.objects.select_related("run__auction__calendar").filter(
        run=run, state=DividendState.DONE, run__state=RunState.PUBLISHED
    )
    return _described(row.first())


def latest_dividend() -> Dividend | None:
    """Return the dividend of the latest published run in which coupling carried something."""
    rows = CouplingDividend.objects.filter(
        state=DividendState.DONE, run__state=RunState.PUBLISHED, coupled_unit_hours__gt=0
    )
    newest = rows.select_related("run__auction__calendar").order_by("-run__published_at", "-id")
    return _described(newest.first())


def _described(row: CouplingDividend | None) -> Dividend | None:
    if row is None or row.welfare_gain_cny is None:
        return None
    closed = row.closed_welfare_cny or Decimal(0)
    hubs = sorted(
        row.hubs.select_related("hub"),
        key=lambda own: (-(own.buyers_gain_cny + own.suppliers_gain_cny), own.hub.code),
    )
    links = row.links.select_related("link__from_hub", "link__to_hub")
    avoided = row.avoided_co2_kg
    return Dividend(
        auction=row.run.auction,
        published_at=row.run.published_at,
        welfare_gain_cny=row.welfare_gain_cny,
        share=row.welfare_gain_cny / closed if closed > 0 else None,
        congestion_rent_cny=row.congestion_rent_cny or Decimal(0),
        avoided_co2_t=None if avoided is None else avoided / KG_PER_TONNE,
        coupled_unit_hours=row.coupled_unit_hours or Decimal(0),
        closed_unit_hours=row.closed_unit_hours or Decimal(0),
        hubs=hubs,
        links=list(links.order_by("-cny_per_gbps", "id")),
    )
