"""Price bands and market rules: dated, proposed by one operator and put in force by another."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from marketplace.domain.decimals import on_tick
from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.models import (
    CounterpartyMode,
    MarketRules,
    PaymentTermUnit,
    PriceBand,
    Product,
    TwoPersonRequest,
)
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.selectors.rules import rules_at
from marketplace.services.audit import record_audit
from marketplace.services.checks import OffPriceTick, check_range, plain, require_operator
from marketplace.services.two_person import ask_for

BAND_ACTION = "price_band.change"
RULES_ACTION = "market_rules.change"
VALID_FOR = timedelta(days=7)
HIGHEST_PRICE = Decimal(999_999)
RATES = ("buyer_fee_rate", "seller_fee_rate", "fee_vat_rate")
NUMBERS = (
    "acceptance_timeout_hours",
    "payment_term_days",
    "confirmation_workdays",
    "bundle_publication_delay_days",
)
RULE_FIELDS = (
    "counterparty",
    *RATES,
    "max_order_notional_cny",
    *NUMBERS,
    "payment_term_unit",
    "resale_allowed",
    "note",
)


class NotInTheFuture(RuleBroken):
    """A change of the terms cannot begin in the past."""

    code = "not_in_the_future"
    message = gettext_noop("It has to begin later than now, in market time.")


class BandUpsideDown(RuleBroken):
    """The lowest price is not below the highest one."""

    code = "band_upside_down"
    message = gettext_noop("The highest price must be above the lowest one.")


class DateTaken(RuleBroken):
    """Terms begin at that instant already."""

    code = "date_taken"
    message = gettext_noop("Other terms begin at this very time; choose another one.")


class NothingChanges(RuleBroken):
    """The proposal is what is in force."""

    code = "nothing_changes"
    message = gettext_noop("These are the terms in force: nothing would change.")


def propose_price_band(
    *,
    actor: Actor,
    product: Product,
    price_min: Decimal,
    price_max: Decimal,
    valid_from: datetime,
    reason: str,
) -> TwoPersonRequest:
    """Propose the prices a product may have in auctions whose gate opens from an instant on.

    Args:
        actor: an operator.
        product: whose band it is.
        price_min: lowest price, CNY per unit and hour (不含税).
        price_max: highest price, likewise.
        valid_from: market time, in the future.
        reason: why.

    Raises:
        RuleBroken: the broken rule; nothing was written.
    """
    require_operator(actor)
    check_band(product, price_min, price_max)
    _check_start(valid_from, PriceBand.objects.filter(product=product))
    return ask_for(
        actor=actor,
        action=BAND_ACTION,
        subject=product,
        name=product.code,
        reason=reason,
        valid_for=VALID_FOR,
        params={
            "price_min": plain(price_min),
            "price_max": plain(price_max),
            "valid_from": valid_from.isoformat(),
        },
    )


def apply_price_band(request: TwoPersonRequest, actor: Actor) -> None:
    """Write the approved band down; it applies from its date on.

    Raises:
        NotInTheFuture, DateTaken, OffPriceTick: it does not fit any more; nothing was written.
    """
    product = Product.objects.select_for_update().get(pk=request.object_id)
    valid_from = datetime.fromisoformat(request.params["valid_from"])
    low, high = Decimal(request.params["price_min"]), Decimal(request.params["price_max"])
    check_band(product, low, high)
    _check_start(valid_from, PriceBand.objects.filter(product=product))
    before = {"price_min": plain(product.price_min), "price_max": plain(product.price_max)}
    PriceBand.objects.create(
        product=product,
        valid_from=valid_from,
        price_min=low,
        price_max=high,
        request=request,
        reason=request.reason,
    )
    record_audit(
        action="product.band_decided",
        subject=product,
        actor=actor.user,
        organisation=actor.organisation,
        before=before,
        after=dict(request.params),
        reason=request.reason,
    )


def apply_due_bands(*, now: datetime) -> int:
    """Make the bands that have begun the products' own; return how many products changed.

    Open auctions keep the band they were opened with. A repeated call changes nothing.
    """
    newest: dict[int, PriceBand] = {}
    for band in PriceBand.objects.filter(valid_from__lte=now).order_by("valid_from"):
        newest[band.product_id] = band
    changed = 0
    for product in Product.objects.filter(pk__in=newest).order_by("pk"):
        band = newest[product.pk]
        if (product.price_min, product.price_max) != (band.price_min, band.price_max):
            changed += Product.objects.filter(pk=product.pk).update(
                price_min=band.price_min, price_max=band.price_max
            )
    return changed


def propose_market_rules(
    *, actor: Actor, valid_from: datetime, reason: str, changes: Mapping[str, Any]
) -> TwoPersonRequest:
    """Propose market rules from an instant on; what is not named stays as it is then.

    Args:
        actor: an operator.
        valid_from: market time, in the future.
        reason: why.
        changes: values by name of `RULE_FIELDS`; rates are shares, sums CNY.

    Raises:
        RuleBroken: the broken rule, with the field; nothing was written.
    """
    require_operator(actor)
    _check_start(valid_from, MarketRules.objects.all())
    current = rules_at(valid_from)
    check_rules(changes)
    params = {name: _plain(value) for name, value in changes.items() if name in RULE_FIELDS}
    if all(_plain(getattr(current, name)) == value for name, value in params.items()):
        raise NothingChanges
    return ask_for(
        actor=actor,
        action=RULES_ACTION,
        subject=current,
        name=valid_from.strftime("%Y-%m-%d %H:%M"),
        reason=reason,
        valid_for=VALID_FOR,
        params={**params, "valid_from": valid_from.isoformat()},
    )


@transaction.atomic
def apply_market_rules(request: TwoPersonRequest, actor: Actor) -> None:
    """Write the approved rules down; they apply from their date on.

    Raises:
        NotInTheFuture, DateTaken: it does not fit any more; nothing was written.
    """
    params = dict(request.params)
    valid_from = datetime.fromisoformat(params.pop("valid_from"))
    _check_start(valid_from, MarketRules.objects.all())
    current = rules_at(valid_from)
    values = {name: getattr(current, name) for name in RULE_FIELDS}
    values.update({name: _stored(name, value) for name, value in params.items()})
    made = MarketRules.objects.create(valid_from=valid_from, **values)
    record_audit(
        action="market_rules.added",
        subject=made,
        actor=actor.user,
        organisation=actor.organisation,
        before={name: _plain(getattr(current, name)) for name in params},
        after=params,
        reason=request.reason,
    )


def check_band(product: Product, price_min: Decimal, price_max: Decimal) -> None:
    """Check the ends of a band; raises OutOfRange, OffPriceTick or BandUpsideDown."""
    for field, price in (("price_min", price_min), ("price_max", price_max)):
        check_range(price, least=Decimal(0), most=HIGHEST_PRICE, field=field)
        if not on_tick(price, product.price_tick):
            raise OffPriceTick(field=field, tick=plain(product.price_tick))
    if price_max <= price_min:
        raise BandUpsideDown(field="price_max")
    if (price_min, price_max) == (product.price_min, product.price_max):
        raise NothingChanges


def check_rules(changes: Mapping[str, Any]) -> None:
    """Check the figures of market rules; raises OutOfRange with the field."""
    for field in RATES:
        if field in changes:
            check_range(changes[field], least=Decimal(0), most=Decimal("0.5"), field=field)
    if "max_order_notional_cny" in changes:
        most = Decimal(999_999_999_999)
        check_range(
            changes["max_order_notional_cny"],
            least=Decimal(1),
            most=most,
            field="max_order_notional_cny",
        )
    for field in NUMBERS:
        if field in changes:
            check_range(Decimal(changes[field]), least=Decimal(0), most=Decimal(3650), field=field)
    if changes.get("counterparty", CounterpartyMode.CENTRAL) not in CounterpartyMode.values:
        raise RuleBroken("choice_unknown", gettext_noop("Choose one of the list."), "counterparty")
    if changes.get("payment_term_unit", PaymentTermUnit.DAYS) not in PaymentTermUnit.values:
        raise RuleBroken(
            "choice_unknown", gettext_noop("Choose one of the list."), "payment_term_unit"
        )


def _check_start(valid_from: datetime, rows: Any) -> None:
    if valid_from <= market_now():
        raise NotInTheFuture(field="valid_from")
    if rows.filter(valid_from=valid_from).exists():
        raise DateTaken(field="valid_from")


def _plain(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else value


def _stored(name: str, value: Any) -> Any:
    return Decimal(value) if name in (*RATES, "max_order_notional_cny") else value
