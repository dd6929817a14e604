"""The unit in which programmes count money, so that costs are whole numbers of it."""

from fractions import Fraction
from math import gcd

from orders.clearing.market import Market

_LARGEST_COST = 1e7


def money_unit(market: Market) -> float:
    """Return the largest sum of money that divides every price and tariff per lot."""
    amounts: list[Fraction] = []
    largest = Fraction(1)
    for product in market.auction.products:
        lot = Fraction(product.quantity_tick)
        amounts.append(Fraction(product.price_tick) * lot)
        largest = max(
            largest, max(abs(Fraction(product.price_min)), Fraction(product.price_max)) * lot
        )
        for link in market.auction.links:
            if link.tariff and product.bandwidth:
                amounts.append(Fraction(link.tariff) * Fraction(product.bandwidth) * lot)
    common = amounts[0]
    for amount in amounts[1:]:
        common = Fraction(
            gcd(common.numerator * amount.denominator, amount.numerator * common.denominator),
            common.denominator * amount.denominator,
        )
    return max(float(common), float(largest) / _LARGEST_COST)
