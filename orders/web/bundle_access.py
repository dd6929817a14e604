"""Who may have the full bundle of an auction, and when the public may."""

from datetime import datetime, timedelta

from marketplace.models import MarketRules
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from orders.models import ClearingRun


def public_from(run: ClearingRun) -> datetime | None:
    """Return when the bundle becomes public: publication plus the delay of the rules."""
    if run.published_at is None:
        return None
    rules = (
        MarketRules.objects.filter(valid_from__lte=run.published_at).order_by("-valid_from").first()
    )
    delay = rules.bundle_publication_delay_days if rules else 90
    return run.published_at + timedelta(days=delay)


def may_download_bundle(actor: Actor, run: ClearingRun) -> bool:
    """Tell whether the actor may have the bundle: operator and auditor at once, others later.

    With one or two suppliers at a hub, the book would show their costs.
    """
    if actor.is_operator or actor.is_platform_auditor:
        return True
    moment = public_from(run)
    return moment is not None and moment <= market_now()
