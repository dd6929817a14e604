"""Taking many bids for one auction at once, with few statements for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice

from django.db import transaction

from marketplace.domain.errors import RuleBroken, gettext_noop
from marketplace.permissions import Actor
from marketplace.selectors.rules import rules_at
from orders.models import Auction, BlockLeg, BlockOption, CurveStep, Order, OrderKind, OrderSide
from orders.ports.collateral import InsufficientCollateral, collateral_port
from orders.services import refusals
from orders.services.buying_rules import ApprovalRequired, approval_thresholds, charge_project
from orders.services.locks import share_gate
from orders.services.order_request import CheckedOrder, LoadedNames, OrderRequest, check_order
from orders.services.submission import (
    curve_rows,
    dearest,
    leg_rows,
    option_rows,
    require_future,
    require_open,
    require_trader,
    unsaved_order,
)

_BATCH = 500


class BidsOnly(RuleBroken):
    """Asks lock their listings one by one and are not taken in bulk."""

    code = "bids_only"
    message = gettext_noop("Many orders at once are taken for bids to one auction only.")


@dataclass(frozen=True)
class _Prepared:
    order: Order
    checked: CheckedOrder


@transaction.atomic
def submit_bids(
    *, auction: Auction, bids: Sequence[tuple[Actor, OrderRequest]]
) -> list[Order | InsufficientCollateral]:
    """Put many bids into the book of an open auction, under the same rules as `submit_order`.

    Takes the shared gate lock, then members' balances in the order of the members' keys.

    Returns:
        For each bid its order, or what was missing to hold its worst case; the others stand.

    Raises:
        RuleBroken: a bid breaks any other rule; nothing was taken.
    """
    share_gate(auction.pk)
    now = require_open(auction)
    names = LoadedNames(auction)
    prepared = [_prepare(actor, request, auction, names, now) for actor, request in bids]
    outcomes = _hold_all(prepared, now)
    taken = [one for one, missing in zip(prepared, outcomes, strict=True) if missing is None]
    _insert(taken)
    return [
        one.order if missing is None else missing
        for one, missing in zip(prepared, outcomes, strict=True)
    ]


def _prepare(
    actor: Actor, request: OrderRequest, auction: Auction, names: LoadedNames, now: datetime
) -> _Prepared:
    if request.side != OrderSide.BUY or request.auction != auction.public_id:
        raise BidsOnly
    owner = require_trader(actor, request.side)
    checked = check_order(request, auction=auction, owner=owner, names=names)
    require_future(checked, now)
    order = unsaved_order(actor, owner, checked)
    order.submitted_at = now
    return _Prepared(order, checked)


def _hold_all(prepared: Sequence[_Prepared], now: datetime) -> list[InsufficientCollateral | None]:
    """Hold the worst case of each bid; return what was missing where it could not be held."""
    port = collateral_port()
    nets = [one.checked.worst_net_cny for one in prepared]
    limit = rules_at(now).max_order_notional_cny
    for net in nets:
        if net > limit:
            raise refusals.NotionalTooLarge(field="quantity", notional=net, limit=limit)
    purchases = [one.checked.worst_purchases for one in prepared]
    cases = iter(port.worst_cases([purchase for own in purchases for purchase in own]))
    worst = [dearest(list(islice(cases, len(own)))) for own in purchases]
    missing: list[InsufficientCollateral | None] = [None] * len(prepared)
    thresholds = approval_thresholds({one.order.organisation_id for one in prepared})
    by_member = sorted(range(len(prepared)), key=lambda i: prepared[i].order.organisation_id)
    for index in by_member:
        try:
            _hold(prepared[index].order, worst[index].total_cny, thresholds)
        except InsufficientCollateral as error:
            missing[index] = error
    return missing


def _hold(order: Order, total_cny: Decimal, thresholds: Mapping[int, Decimal]) -> None:
    limit = thresholds.get(order.organisation_id)
    if limit is not None and total_cny > limit:
        raise ApprovalRequired(limit=limit, sum=total_cny)
    order.worst_case_cny = total_cny
    if order.project_id is not None:
        charge_project(project_id=order.project_id, total_cny=total_cny)
    if total_cny > 0:
        order.hold_reference = collateral_port().place_hold(
            organisation_id=order.organisation_id,
            amount_cny=total_cny,
            source_type="order",
            source_id=str(order.public_id),
        )


def _insert(taken: Sequence[_Prepared]) -> None:
    Order.objects.bulk_create([one.order for one in taken], batch_size=_BATCH)
    curves = [one for one in taken if one.order.kind == OrderKind.CURVE]
    CurveStep.objects.bulk_create(
        [row for one in curves for row in curve_rows(one.order, one.checked)], batch_size=_BATCH
    )
    pairs = [
        pair
        for one in taken
        if one.order.kind == OrderKind.BLOCK
        for pair in option_rows(one.order, one.checked)
    ]
    BlockOption.objects.bulk_create([row for row, _ in pairs], batch_size=_BATCH)
    BlockLeg.objects.bulk_create(
        [leg for row, option in pairs for leg in leg_rows(row, option)], batch_size=_BATCH
    )
