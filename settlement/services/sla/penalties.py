"""Penalties for short service: terms in force, ratings, and what a run keeps of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from marketplace.domain.periods import market_date
from orders.models import Auction
from settlement.domain.sla.penalty import (
    FORMULA_VERSION,
    PenaltyRating,
    ServedPeriod,
    ServiceTerms,
    Shortfall,
    rate_penalty,
)
from settlement.models import SettlementRun, SlaPenalty, SlaTerms
from settlement.services.rating import DeliveryRating

_BATCH = 2000


def terms_in_force(on: date) -> dict[int, SlaTerms]:
    """Return the newest terms of every product that had begun on a date, by product id."""
    rows = SlaTerms.objects.filter(valid_from__lte=on).order_by("product_id", "valid_from")
    return {row.product_id: row for row in rows}


def penalise(
    auction: Auction, ratings: Sequence[DeliveryRating]
) -> tuple[list[DeliveryRating], dict[int, PenaltyRating]]:
    """Return the ratings with their penalties, and the arithmetic of each by delivery.

    The terms are those in force when the gate closed; a product without terms has no penalties.
    """
    terms = terms_in_force(market_date(auction.gate_closes_at))
    if not terms:
        return list(ratings), {}
    found: dict[int, PenaltyRating] = {}
    rated = []
    for rating in ratings:
        row = terms.get(rating.delivery.allocation.product_id)
        if row is None:
            rated.append(rating)
            continue
        penalty = rate_penalty(
            _served(rating), terms=_terms(row), handed_over_at=rating.delivery.handed_over_at
        )
        found[rating.delivery.pk] = penalty
        rated.append(replace(rating, penalty=penalty.amount))
    return rated, found


def store_penalties(
    run: SettlementRun,
    ratings: Iterable[DeliveryRating],
    penalties: Mapping[int, PenaltyRating],
) -> list[SlaPenalty]:
    """Write the penalties of a run: those that are due, and those that changed.

    `rating.penalty` is what this run posts; a difference in a later sequence.
    """
    terms = terms_in_force(market_date(run.auction.gate_closes_at))
    rows = []
    for rating in ratings:
        penalty = penalties.get(rating.delivery.pk)
        if penalty is None or not (penalty.shortfalls or rating.penalty):
            continue
        rows.append(
            SlaPenalty(
                run=run,
                delivery=rating.delivery,
                terms=terms[rating.delivery.allocation.product_id],
                formula_version=FORMULA_VERSION,
                promised_unit_hours=penalty.promised_unit_hours,
                delivered_unit_hours=penalty.delivered_unit_hours,
                intervals=[_as_json(each) for each in penalty.shortfalls],
                uncapped_cny=penalty.uncapped,
                cap_cny=penalty.cap,
                amount_cny=penalty.amount,
                posted_cny=rating.penalty,
            )
        )
    return SlaPenalty.objects.bulk_create(rows, batch_size=_BATCH)


def _terms(row: SlaTerms) -> ServiceTerms:
    return ServiceTerms(
        late_minutes=row.late_minutes,
        short_threshold=row.short_threshold,
        late_rate=row.late_rate,
        short_rate=row.short_rate,
        lost_rate=row.lost_rate,
        cap_share=row.cap_share,
    )


def _served(rating: DeliveryRating) -> list[ServedPeriod]:
    return [
        ServedPeriod(
            starts_at=each.period.starts_at,
            ends_at=each.period.ends_at,
            promised=each.period.quantity,
            delivered=each.billed,
            price=each.period.buyer_price,
        )
        for each in rating.periods
    ]


def _as_json(shortfall: Shortfall) -> dict[str, Any]:
    period = shortfall.period
    return {
        "starts_at": period.starts_at.isoformat(),
        "ends_at": period.ends_at.isoformat(),
        "kind": shortfall.kind.value,
        "promised": _text(period.promised),
        "delivered": _text(period.delivered),
        "price": _text(period.price),
        "rate": _text(shortfall.rate),
        "penalty": _text(shortfall.penalty),
    }


def _text(value: Decimal) -> str:
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
