"""The order book of one auction, read at once and turned into the tables of the bundle."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import F

from marketplace.domain.units import price_per_period
from marketplace.models import Hub, Link, Listing, Organisation, OrganisationState, Product
from orders.models import Auction, BlockLeg, BlockOption, CurveStep, OrderKind, OrderSide
from orders.selectors.bands import traded_products
from orders.selectors.listing_carbon import carbon_of_listings, class_served
from orders.services.order_rows import OrderRow, read_orders
from orders.services.pseudonyms import pseudonym

BUNDLE_VERSION = 1
ORDER_TABLES = ("curve_orders", "block_orders", "block_options", "block_legs", "flexible_orders")
Row = dict[str, str]


@dataclass(frozen=True)
class Step:
    """One step of a curve order, per unit and hour."""

    first: int
    last: int
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True)
class Leg:
    """Units over a run of periods, of a block order."""

    first: int
    last: int
    hub_id: int
    product_id: int
    quantity: Decimal


@dataclass
class BookOrder:
    """An order as the bundle needs it; `steps` of a curve, `options` of a block.

    A flexible or interruptible order has neither: the order itself says all.
    """

    order: OrderRow
    name: str
    steps: list[Step] = field(default_factory=list)
    options: dict[int, tuple[Decimal, list[Leg]]] = field(default_factory=dict)
    eligible: tuple[int, ...] | None = None

    @property
    def is_sell(self) -> bool:
        """Tell whether it is an ask."""
        return self.order.side == OrderSide.SELL

    @property
    def is_curve(self) -> bool:
        """Tell whether it is a curve order."""
        return self.order.kind == OrderKind.CURVE

    @property
    def product_ids(self) -> set[int]:
        """Products it may trade."""
        found = {leg.product_id for _, legs in self.options.values() for leg in legs}
        return found or {self.order.product_id}

    @property
    def is_windowed(self) -> bool:
        """Tell whether it may be served anywhere in its window."""
        return self.order.kind in (OrderKind.FLEXIBLE, OrderKind.INTERRUPTIBLE)


@dataclass(frozen=True)
class Network:
    """What the orders trade in and over, at freezing."""

    hubs: Mapping[int, Hub]
    products: Mapping[int, Product]
    links: Mapping[int, Link]
    listings: Mapping[int, Listing]
    # Members whose orders may be cleared.
    admitted: Collection[int]
    periods: int
    # By listing, g per unit-hour; those without serve no carbon class.
    carbon_classes: Mapping[int, Decimal]


def read_book(auction: Auction) -> list[BookOrder]:
    """Return the orders in the book in the order they came in, in four queries."""
    book = {
        order.pk: BookOrder(order, pseudonym(auction.pseudonym_salt, "o", order.public_id))
        for order in read_orders(auction)
    }
    steps = CurveStep.objects.filter(order__auction=auction, order__state="active")
    columns = ("order_id", "first_period", "last_period", "price", "quantity")
    for order_id, *step in steps.order_by("id").values_list(*columns):
        book[order_id].steps.append(Step(*step))
    options = BlockOption.objects.filter(order__auction=auction, order__state="active")
    for order_id, number, limit in options.values_list("order_id", "option_no", "limit_price"):
        book[order_id].options[number] = (limit, [])
    legs = BlockLeg.objects.filter(option__order__auction=auction, option__order__state="active")
    for order_id, number, *leg in legs.order_by("id").values_list(
        F("option__order_id"),
        F("option__option_no"),
        *("first_period", "last_period", "hub_id", "product_id", "quantity"),
    ):
        book[order_id].options[number][1].append(Leg(*leg))
    return list(book.values())


def read_network(auction: Auction, book: Collection[BookOrder]) -> Network:
    """Return hubs, products and links of the auction, its members and the listings of its asks."""
    hubs = {hub.pk: hub for hub in Hub.objects.filter(trades=True)}
    links = Link.objects.filter(active=True, from_hub__in=hubs, to_hub__in=hubs)
    wanted = {item.order.listing_id for item in book if item.is_sell}
    listings = Listing.objects.filter(pk__in=wanted).select_related("pool", "organisation")
    products = {product.pk: product for product in traded_products(auction)}
    members = Organisation.objects.filter(
        pk__in={item.order.organisation_id for item in book}, state=OrganisationState.APPROVED
    )
    return Network(
        hubs=hubs,
        products=products,
        links={link.pk: link for link in links},
        listings={listing.pk: listing for listing in listings},
        admitted=set(members.values_list("pk", flat=True)),
        periods=auction.period_count,
        carbon_classes=_carbon_classes(listings, products),
    )


def _carbon_classes(
    listings: Iterable[Listing], products: Mapping[int, Product]
) -> dict[int, Decimal]:
    """Return the strictest class that each listing serves.

    The bundle says the class and not the figure: a figure would tell which listing it is.
    """
    grams = carbon_of_listings(listings)
    found = {}
    for listing in listings:
        product = products.get(listing.pool.product_id)
        classes = product.carbon_classes_g if product else []
        served = class_served(grams.get(listing.pk), classes)
        if served is not None:
            found[listing.pk] = served
    return found


class BundleTables:
    """Builds the tables, and remembers which order each row belongs to."""

    def __init__(self, auction: Auction, network: Network) -> None:
        self._auction = auction
        self._network = network
        self._minutes = auction.period_minutes
        self.tables: dict[str, list[Row]] = {}
        self.owners: dict[str, list[int]] = {}

    def build(
        self,
        book: Iterable[BookOrder],
        units: Mapping[tuple[int, int], Decimal],
        gbps: Mapping[tuple[int, str, int], Decimal],
    ) -> dict[str, Any]:
        """Fill the tables and return `auction.json`.

        Args:
            book: the orders to clear.
            units: what the auction holds of each (listing id, period).
            gbps: what it holds of each (link id, direction, period).
        """
        for name in ORDER_TABLES:
            self.tables[name], self.owners[name] = [], []
        self._add_reference()
        self._add_links(gbps)
        self._add_listings(book, units)
        names = {item.order.pk: item.name for item in book}
        for item in book:
            if item.is_curve:
                self._add_curve(item)
            elif item.is_windowed:
                self._add_windowed(item)
            else:
                self._add_block(item, names)
        return self._terms()

    def order_at(self, file: str, line: int | None) -> int | None:
        """Return the key of the order a line of a file belongs to; the header is line 1."""
        owners = self.owners.get(file.removesuffix(".csv"), [])
        return owners[line - 2] if line and 2 <= line < len(owners) + 2 else None

    def _terms(self) -> dict[str, Any]:
        first = min(self._network.products.values(), key=lambda product: product.code)
        return {
            "bundle_version": BUNDLE_VERSION,
            "auction_id": self._auction.code,
            "currency": "CNY",
            "period_minutes": self._minutes,
            "first_period_start": self._auction.delivery_starts_at.isoformat(),
            "periods": self._auction.period_count,
            "price_min": self._price(first.price_min),
            "price_max": self._price(first.price_max),
            "price_tick": self._price(first.price_tick),
            "quantity_tick": _text(first.quantity_lot),
        }

    def _price(self, hourly: Decimal) -> str:
        return _text(price_per_period(hourly, period_minutes=self._minutes))

    def _grams(self, hourly: Decimal | None) -> str:
        """Return g per unit and period."""
        return "" if hourly is None else self._price(hourly)

    def _name(self, kind: str, key: object) -> str:
        return pseudonym(self._auction.pseudonym_salt, kind, key)

    def _add_reference(self) -> None:
        network = self._network
        self.tables["hubs"] = [{"hub": hub.code} for hub in network.hubs.values()]
        self.tables["products"] = [
            {
                "product": product.code,
                "bandwidth_per_unit": _text(product.bandwidth_gbps_per_unit),
                "price_tick": self._price(product.price_tick),
                "quantity_tick": _text(product.quantity_lot),
                "price_min": self._price(product.price_min),
                "price_max": self._price(product.price_max),
                "clearing_price_tick": self._price(product.clearing_price_tick),
                "rtt_classes": ";".join(map(_text, sorted(product.rtt_classes_ms))),
            }
            for product in network.products.values()
        ]

    def _add_links(self, gbps: Mapping[tuple[int, str, int], Decimal]) -> None:
        hubs = self._network.hubs
        self.tables["links"], self.tables["link_capacities"] = [], []
        for link in self._network.links.values():
            ends = {"from_hub": hubs[link.from_hub_id].code, "to_hub": hubs[link.to_hub_id].code}
            tariff = self._price(link.tariff_cny_per_gbps_hour)
            self.tables["links"].append({**ends, "rtt_ms": _text(link.rtt_ms), "tariff": tariff})
            for period in range(1, self._auction.period_count + 1):
                forward = gbps.get((link.pk, "forward", period), Decimal(0))
                reverse = gbps.get((link.pk, "reverse", period), Decimal(0))
                if forward or reverse:
                    room = {
                        "forward_capacity": _text(forward),
                        "reverse_capacity": _text(reverse),
                    }
                    self.tables["link_capacities"].append({**ends, "period": str(period), **room})

    def _add_listings(
        self, book: Iterable[BookOrder], units: Mapping[tuple[int, int], Decimal]
    ) -> None:
        self.tables["listings"], self.tables["listing_capacities"] = [], []
        used = {item.order.listing_id for item in book if item.is_sell}
        names: dict[int, tuple[str, Listing]] = {}
        for key in sorted(key for key in used if key is not None):
            listing = self._network.listings[key]
            names[key] = (self._name("l", listing.public_id), listing)
            self.tables["listings"].append(
                {
                    "listing_id": names[key][0],
                    "hub": self._network.hubs[listing.pool.hub_id].code,
                    "participant": self._name("m", listing.organisation_id),
                    "carbon_intensity": self._grams(self._network.carbon_classes.get(key)),
                }
            )
        for (key, period), quantity in units.items():
            if key in names:
                name, listing = names[key]
                product = self._network.products[listing.pool.product_id]
                self.tables["listing_capacities"].append(
                    {
                        "listing_id": name,
                        "product": product.code,
                        "period": str(period),
                        "capacity": _text(quantity - quantity % product.quantity_lot),
                    }
                )

    def _common(self, item: BookOrder) -> Row:
        order = item.order
        row = {
            "order_id": item.name,
            "side": order.side,
            "participant": self._name("m", order.organisation_id),
            "max_rtt_ms": "" if order.max_rtt_ms is None else _text(order.max_rtt_ms),
            "max_carbon": self._grams(order.max_carbon_g),
        }
        if order.listing_id is not None:
            listing = self._network.listings[order.listing_id]
            row["listing_id"] = self._name("l", listing.public_id)
        return row

    def _add_curve(self, item: BookOrder) -> None:
        common = self._common(item)
        common["hub"] = self._network.hubs[item.order.hub_id].code
        common["product"] = self._network.products[item.order.product_id].code
        rows, owners = self.tables["curve_orders"], self.owners["curve_orders"]
        for step in item.steps:
            price, quantity = self._price(step.price), _text(step.quantity)
            for period in range(step.first, step.last + 1):
                rows.append({**common, "period": str(period), "price": price, "quantity": quantity})
                owners.append(item.order.pk)

    def _indivisible(self, item: BookOrder) -> Row:
        row = {
            **self._common(item),
            "min_acceptance": _text(item.order.min_acceptance),
            "placement": item.order.placement,
        }
        if item.eligible is not None:
            listings = self._network.listings
            row["eligible_listings"] = ";".join(
                self._name("l", listings[key].public_id) for key in item.eligible
            )
        return row

    def _add_windowed(self, item: BookOrder) -> None:
        order = item.order
        row = {
            **self._indivisible(item),
            "hub": self._network.hubs[order.hub_id].code,
            "product": self._network.products[order.product_id].code,
            "quantity": _text(order.quantity),
            "duration": str(order.duration),
            "earliest_period": str(order.first_period),
            "latest_period": str(order.last_period),
            "limit_price": self._price(order.limit_price),
            "interruptible": str(int(order.kind == OrderKind.INTERRUPTIBLE)),
        }
        del row["side"]  # such an order always buys
        self._append("flexible_orders", order.pk, row)

    def _add_block(self, item: BookOrder, names: Mapping[int, str]) -> None:
        order = item.order
        row = self._indivisible(item)
        if order.parent_id is not None:
            row["parent_order_id"] = names[order.parent_id]
        self._append("block_orders", order.pk, row)
        for number, (limit, legs) in sorted(item.options.items()):
            option = {"order_id": item.name, "option_id": str(number)}
            self._append("block_options", order.pk, {**option, "limit_price": self._price(limit)})
            for leg in legs:
                place = {
                    "hub": self._network.hubs[leg.hub_id].code,
                    "product": self._network.products[leg.product_id].code,
                }
                for period in range(leg.first, leg.last + 1):
                    amount = {"period": str(period), "quantity": _text(leg.quantity)}
                    self._append("block_legs", order.pk, {**option, **place, **amount})

    def _append(self, table: str, order_id: int, row: Row) -> None:
        self.tables[table].append(row)
        self.owners[table].append(order_id)


def _text(number: Decimal) -> str:
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
