"""The rules and tax rates in force at an instant."""

from datetime import date, datetime
from decimal import Decimal

from marketplace.models import MarketRules, Product, ProductVatRate


def rules_at(now: datetime) -> MarketRules:
    """Return the newest market rules that have begun.

    Raises:
        MarketRules.DoesNotExist: no rules are in force yet; `seed_reference` makes the first.
    """
    return MarketRules.objects.filter(valid_from__lte=now).latest("valid_from")


def vat_rate_for(product: Product, on: date) -> Decimal:
    """Return the VAT rate of a product on a date, such as 0.0600.

    Raises:
        ProductVatRate.DoesNotExist: no rate is in force on that date.
    """
    rates = ProductVatRate.objects.filter(product=product, valid_from__lte=on)
    return rates.latest("valid_from").rate


def vat_rates(on: date) -> dict[int, Decimal]:
    """Return the VAT rate of every product on a date, by product id, in one query."""
    rates = ProductVatRate.objects.filter(valid_from__lte=on).order_by("product_id", "valid_from")
    return dict(rates.values_list("product_id", "rate"))
