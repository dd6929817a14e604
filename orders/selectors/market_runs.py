"""Published auctions that sold something: the newest, and the newest of a product or day."""

from datetime import date, time, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from marketplace.domain.periods import local_instant
from marketplace.models import Product
from orders.models import ClearingRun, PriceSummary, RunState

_MIDNIGHT = time(0)


def traded_runs(*, product: Product | None = None) -> QuerySet[ClearingRun]:
    """Return the published runs that sold something, or something of a product, newest first."""
    sold = PriceSummary.objects.filter(run=OuterRef("pk"))
    if product is not None:
        sold = sold.filter(product=product)
    return published_newest().filter(Exists(sold))


def published_newest() -> QuerySet[ClearingRun]:
    """Return all published runs with auction and calendar, newest first."""
    runs = ClearingRun.objects.filter(state=RunState.PUBLISHED)
    return runs.select_related("auction__calendar").order_by("-published_at", "-id")


def latest_traded_run(kind: str = "") -> ClearingRun | None:
    """Return the newest run that sold something; of a kind of auction where one did."""
    runs = traded_runs()
    of_kind = runs.filter(auction__calendar__kind=kind).first() if kind else None
    return of_kind or runs.first() or published_newest().first()


def runs_of_day(day: date) -> QuerySet[ClearingRun]:
    """Return the runs published on a trading day, in the order of publication."""
    start = local_instant(day, _MIDNIGHT)
    end = local_instant(day + timedelta(days=1), _MIDNIGHT)
    runs = published_newest().filter(published_at__gte=start, published_at__lt=end)
    return runs.order_by("published_at", "id")
