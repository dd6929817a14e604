"""The products of an auction with the price band it was opened with."""

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from marketplace.models import PriceBand, Product
from orders.models import Auction, AuctionBand


def traded_products(auction: Auction) -> list[Product]:
    """Return the auction's products, each with `price_min` and `price_max` of this auction.

    A gate that is not open yet has no band of its own: then it is the product's. One query.
    """
    return [_banded(product) for product in _with_bands(auction).order_by("sort_order", "code")]


def traded_product(auction: Auction, code: str) -> Product | None:
    """Return one product of the auction with this auction's price band, or None. One query."""
    product = _with_bands(auction).filter(code=code).first()
    return None if product is None else _banded(product)


def _with_bands(auction: Auction) -> QuerySet[Product]:
    bands = AuctionBand.objects.filter(auction=auction, product=OuterRef("pk"))
    return auction.products.annotate(
        band_min=Coalesce(Subquery(bands.values("price_min")), "price_min"),
        band_max=Coalesce(Subquery(bands.values("price_max")), "price_max"),
    )


def _banded(product: Product) -> Product:
    # Not saved: the row keeps the band that later auctions have.
    product.price_min = product.band_min  # type: ignore[attr-defined]
    product.price_max = product.band_max  # type: ignore[attr-defined]
    return product


def bands_at(auction: Auction) -> list[AuctionBand]:
    """Return the bands to open an auction with: the newest that began by its gate opening."""
    dated: dict[int, PriceBand] = {}
    products = list(auction.products.all())
    found = PriceBand.objects.filter(
        product__in=products, valid_from__lte=auction.gate_opens_at
    ).order_by("valid_from")
    for band in found:
        dated[band.product_id] = band
    return [
        AuctionBand(
            auction=auction,
            product=product,
            price_min=dated[product.pk].price_min if product.pk in dated else product.price_min,
            price_max=dated[product.pk].price_max if product.pk in dated else product.price_max,
        )
        for product in products
    ]
