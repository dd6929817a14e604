"""How few hands a market is in: Herfindahl–Hirschman index and share of the largest."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

TOP = 3
PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class Concentration:
    """Shares are of 1; an index of 1 is a monopoly, of 1/n a market of n equals."""

    sellers: int
    total: Decimal
    hhi: Decimal
    top_share: Decimal
    largest_share: Decimal


def concentration_of(volumes: Iterable[Decimal]) -> Concentration | None:
    """Return the concentration of volumes by seller; None when there is no volume.

    Args:
        volumes: one volume a seller, in one unit; zeros do not count as sellers.
    """
    found = sorted((volume for volume in volumes if volume > 0), reverse=True)
    total = sum(found, Decimal(0))
    if not total:
        return None
    shares = [volume / total for volume in found]
    return Concentration(
        sellers=len(found),
        total=total,
        hhi=sum((share * share for share in shares), Decimal(0)).quantize(PLACES),
        top_share=sum(shares[:TOP], Decimal(0)).quantize(PLACES),
        largest_share=shares[0].quantize(PLACES),
    )


def is_outlier(
    value: Decimal, course: Iterable[Decimal], *, least: int = 5, deviations: int = 3
) -> bool:
    """Tell whether a price is far from its recent course.

    Args:
        value: the price in question.
        course: earlier prices of the same thing.
        least: with fewer earlier prices nothing is an outlier.
        deviations: how many standard deviations are far; a fifth of the mean is needed as well.
    """
    earlier = list(course)
    if len(earlier) < least:
        return False
    mean = sum(earlier, Decimal(0)) / len(earlier)
    variance = sum(((price - mean) ** 2 for price in earlier), Decimal(0)) / len(earlier)
    distance = abs(value - mean)
    return distance > deviations * variance.sqrt() and distance > mean / 5
