"""Writing down service terms: dated, added to, never changed."""

from collections.abc import Iterable
from datetime import date

from marketplace.models import Product
from settlement.domain.sla.penalty import ServiceTerms
from settlement.domain.sla.standard import STANDARD
from settlement.models import SlaTerms


def promise_service(
    products: Iterable[Product], *, valid_from: date, terms: ServiceTerms = STANDARD
) -> int:
    """Write down terms for products from a date on; return how many were new.

    Terms count for auctions whose gate closes on that day or later, so a date in the past would
    change what was settled: choose one before the first gate of the products, or in the future.
    """
    made = 0
    for product in products:
        _, is_new = SlaTerms.objects.get_or_create(
            product=product,
            valid_from=valid_from,
            defaults={
                "late_minutes": terms.late_minutes,
                "short_threshold": terms.short_threshold,
                "late_rate": terms.late_rate,
                "short_rate": terms.short_rate,
                "lost_rate": terms.lost_rate,
                "cap_share": terms.cap_share,
            },
        )
        made += is_new
    return made
