"""The coupling dividend: a published book cleared once more with every link closed.

Due rows stand in the database since publication; a worker claims one at a time while no auction is
waiting to be cleared, and its failure touches nothing but its own row.
"""

import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import structlog
from django.db import connection, transaction
from django.utils import timezone

from marketplace.domain.money import round_money, round_quotient
from marketplace.models import Hub, Link, Listing
from orders import clearing
from orders.clearing.coupling import CouplingGain, coupling_gain, without_links
from orders.models import (
    DIVIDEND_TRANSITIONS,
    ClearingRun,
    CouplingDividend,
    DividendState,
    HubDividend,
    LinkDividend,
    Order,
)
from orders.ports.carbon import carbon_port
from orders.services.pseudonyms import pseudonym

logger = structlog.get_logger(__name__)

CLAIM_S = 900
MOST_ATTEMPTS = 3
PLACES = 6
GRAMS_PER_KG = 1000

_CLAIM = """
UPDATE orders_couplingdividend
   SET attempts = attempts + 1, claimed_until = clock_timestamp() + %s * interval '1 second'
 WHERE id IN (
       SELECT id FROM orders_couplingdividend
        WHERE state = 'due' AND attempts < %s
          AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
          AND NOT EXISTS (SELECT 1 FROM orders_auction
                           WHERE state IN ('closed', 'cleared', 'verified'))
        ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def expect_dividend(*, run: ClearingRun) -> None:
    """Note that the dividend of a run is to be computed; called where the run is published."""
    CouplingDividend.objects.get_or_create(run=run)


def claim_due_dividend() -> int | None:
    """Claim one due dividend, the newest first, for a worker to compute; None when none is due.

    Nothing is claimed while an auction waits to be cleared or published. A claim that is not
    followed up ends after a quarter of an hour; after three the row stays due and is left alone.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, [CLAIM_S, MOST_ATTEMPTS])
        row = cursor.fetchone()
    return row[0] if row else None


def compute_dividend(*, dividend_id: int) -> bool:
    """Clear the book with its links closed and store the comparison; say whether this call did.

    What the engine cannot clear is recorded as the row's failure.
    """
    row = CouplingDividend.objects.select_related("run__auction", "run__archive").get(
        pk=dividend_id
    )
    if row.state != DividendState.DUE:
        return False
    archive = row.run.archive
    bundle = clearing.read_bundle(io.BytesIO(bytes(archive.bundle)))
    coupled = clearing.read_result(io.BytesIO(bytes(archive.result or b"")))
    try:
        closed_bundle = without_links(bundle)
        closed = clearing.clear(closed_bundle)
        violations = clearing.verify(closed_bundle, closed)
    except clearing.ClearingError as error:
        return _fail(dividend_id, f"{type(error).__name__}: {error}")
    if violations:
        return _fail(dividend_id, f"not valid without links: {violations[0]}")
    gain = coupling_gain(bundle, coupled, closed)
    grams = _grams_by_listing(row.run)
    sums = [_footprint(row.run, result, grams) for result in (coupled, closed)]
    return _store(dividend_id, gain, closed.summary.welfare, sums[0], sums[1])


@dataclass(frozen=True)
class _Footprint:
    """Unit-hours and grams by product; grams cover the known listings, as do `known_hours`."""

    unit_hours: Mapping[str, Decimal]
    known_hours: Mapping[str, Decimal]
    grams: Mapping[str, Decimal]


def _grams_by_listing(run: ClearingRun) -> dict[str, Decimal]:
    """Return grams per unit and hour by the listing's name in the bundle."""
    used = Order.objects.filter(auction=run.auction, listing__isnull=False).values("listing_id")
    keys = dict(Listing.objects.filter(pk__in=used).values_list("pk", "public_id"))
    grams = carbon_port().grams_per_unit_hour(list(keys))
    salt = run.auction.pseudonym_salt
    return {pseudonym(salt, "l", keys[key]): own for key, own in grams.items()}


def _footprint(
    run: ClearingRun, result: clearing.Result, grams: Mapping[str, Decimal]
) -> _Footprint:
    hours = Decimal(run.auction.period_minutes) / 60
    total: dict[str, Decimal] = defaultdict(Decimal)
    known: dict[str, Decimal] = defaultdict(Decimal)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in result.assignments:
        amount = row.quantity * hours
        total[row.product] += amount
        if row.listing_id in grams:
            known[row.product] += amount
            sums[row.product] += amount * grams[row.listing_id]
    return _Footprint(total, known, sums)


def _avoided_kg(coupled: _Footprint, closed: _Footprint) -> Decimal | None:
    """Return what the coupled market's work emits less than at the closed market's intensity.

    Products that trade in both count; None when there is none.
    """
    kilograms: Decimal | None = None
    for product, hours in coupled.known_hours.items():
        base = closed.known_hours.get(product)
        if not base or not hours:
            continue
        at_home = round_quotient(closed.grams[product] * hours, base, PLACES)
        saved = (at_home - coupled.grams[product]) / GRAMS_PER_KG
        kilograms = saved if kilograms is None else kilograms + saved
    return None if kilograms is None else round_money(kilograms, PLACES)


def _fail(dividend_id: int, reason: str) -> bool:
    with transaction.atomic():
        row = CouplingDividend.objects.select_for_update().get(pk=dividend_id)
        if row.state != DividendState.DUE:
            return False
        DIVIDEND_TRANSITIONS.check(row.state, DividendState.FAILED)
        row.state, row.failure = DividendState.FAILED, reason[:400]
        row.computed_at = timezone.now()
        row.save(update_fields=["state", "failure", "computed_at"])
    logger.warning("dividend_failed", dividend=dividend_id, reason=reason)
    return True


@transaction.atomic
def _store(
    dividend_id: int,
    gain: CouplingGain,
    closed_welfare: Decimal,
    coupled: _Footprint,
    closed: _Footprint,
) -> bool:
    row = CouplingDividend.objects.select_for_update().get(pk=dividend_id)
    if row.state != DividendState.DUE:
        return False
    DIVIDEND_TRANSITIONS.check(row.state, DividendState.DONE)
    row.state, row.computed_at = DividendState.DONE, timezone.now()
    row.welfare_gain_cny = round_money(gain.welfare, PLACES)
    row.closed_welfare_cny = round_money(closed_welfare, PLACES)
    row.congestion_rent_cny = round_money(gain.congestion_rent, PLACES)
    row.coupled_unit_hours = sum(coupled.unit_hours.values(), Decimal(0))
    row.closed_unit_hours = sum(closed.unit_hours.values(), Decimal(0))
    row.coupled_co2_kg = round_money(_kilograms(coupled), PLACES)
    row.closed_co2_kg = round_money(_kilograms(closed), PLACES)
    row.avoided_co2_kg = _avoided_kg(coupled, closed)
    row.save()
    _store_hubs(row, gain)
    _store_links(row, gain)
    logger.info("dividend_computed", run=row.run_id, welfare_cny=str(row.welfare_gain_cny))
    return True


def _kilograms(footprint: _Footprint) -> Decimal:
    return sum(footprint.grams.values(), Decimal(0)) / GRAMS_PER_KG


def _store_hubs(row: CouplingDividend, gain: CouplingGain) -> None:
    hubs = {hub.code: hub for hub in Hub.objects.filter(code__in=gain.hubs)}
    HubDividend.objects.bulk_create(
        HubDividend(
            dividend=row,
            hub=hubs[code],
            buyers_gain_cny=round_money(own.buyers, PLACES),
            suppliers_gain_cny=round_money(own.suppliers, PLACES),
        )
        for code, own in sorted(gain.hubs.items())
        if own.buyers or own.suppliers
    )


def _store_links(row: CouplingDividend, gain: CouplingGain) -> None:
    links = Link.objects.select_related("from_hub", "to_hub")
    by_ends = {(link.from_hub.code, link.to_hub.code): link for link in links}
    LinkDividend.objects.bulk_create(
        LinkDividend(
            dividend=row,
            link=by_ends[start, end],
            direction=direction,
            cny_per_gbps=round_money(value, 8),
        )
        for (start, end, direction), value in gain.link_values.items()
    )
