"""Who may have the full bundle of an auction, and when the public may."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from marketplace.models import MarketRules
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from orders.models import ClearingRun

DEFAULT_DELAY_DAYS = 90


def public_from(run: ClearingRun) -> datetime | None:
    """Return when the bundle becomes public: publication plus the delay of the rules."""
    return publication_dates([run]).get(run.pk)


def publication_dates(runs: Sequence[ClearingRun]) -> dict[int, datetime]:
    """Return by run when its bundle becomes public, in one query."""
    rules = list(
        MarketRules.objects.order_by("-valid_from").values_list(
            "valid_from", "bundle_publication_delay_days"
        )
    )
    return {
        run.pk: run.published_at + timedelta(days=_delay(rules, run.published_at))
        for run in runs
        if run.published_at is not None
    }


def _delay(rules: Sequence[tuple[datetime, int]], at: datetime) -> int:
    """Return the delay of the newest rules that had begun; `rules` are newest first."""
    return next((days for valid_from, days in rules if valid_from <= at), DEFAULT_DELAY_DAYS)


def sees_every_bundle(actor: Actor) -> bool:
    """Tell whether the actor may have bundles at once: operator and auditor.

    With one or two suppliers at a hub, the book would show their costs to anybody else.
    """
    return actor.is_operator or actor.is_platform_auditor


def may_download_bundle(actor: Actor, run: ClearingRun) -> bool:
    """Tell whether the actor may have the bundle: operator and auditor at once, others later."""
    if sees_every_bundle(actor):
        return True
    moment = public_from(run)
    return moment is not None and moment <= market_now()
