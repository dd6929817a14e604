"""Service terms (服务条款) by product: in force, to come, and the whole history."""

from datetime import date

from django.db.models import QuerySet

from settlement.models import SlaTerms


def terms_history() -> QuerySet[SlaTerms]:
    """Return every version of the service terms, the newest first."""
    return SlaTerms.objects.select_related("product").order_by(
        "-valid_from", "product__sort_order", "product__code"
    )


def terms_from(on: date) -> list[SlaTerms]:
    """Return each product's terms in force on a day and those to come, by product and day."""
    rows = SlaTerms.objects.select_related("product").order_by(
        "product__sort_order", "product__code", "valid_from"
    )
    begun = newest_begun(on)
    return [row for row in rows if row.valid_from > on or row.pk in begun]


def newest_begun(on: date) -> set[int]:
    """Return the keys of the terms in force on a day."""
    rows = SlaTerms.objects.filter(valid_from__lte=on).order_by("valid_from")
    return set(dict(rows.values_list("product_id", "pk")).values())
