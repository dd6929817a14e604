"""A bid that is kept as a request (waiting for approval, or standing) as a reader sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketplace.domain.errors import RuleBroken
from marketplace.services.error_texts import message_text
from orders.models import Auction, BidApproval, OrderKind, StandingBid
from orders.services.order_request import OrderRequest
from orders.services.request_record import request_of
from orders.web.names import window_text

KINDS = dict(OrderKind.choices)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One limit of a request: units at CNY per unit and hour, VAT excluded."""

    quantity: Decimal | None
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """What a kept request asks for."""

    request: OrderRequest
    kind: object
    window: str
    lines: list[RequestLine]


def request_row(kept: BidApproval | StandingBid, auction: Auction | None) -> RequestRow:
    """Return a kept request in words; without an auction its window has none either."""
    request = request_of(kept.request)
    window = ""
    if auction is not None:
        window = window_text(auction, request.first_period, request.last_period)
    return RequestRow(request, KINDS.get(request.kind, request.kind), window, _lines(request))


def refusal_text(code: str, params: Mapping[str, Any]) -> str:
    """Return what a stored refusal says, in the reader's language; empty for none."""
    if not code:
        return ""
    kinds = [RuleBroken]
    for kind in kinds:
        if kind.code == code:
            return _filled(kind.message, params)
        kinds.extend(kind.__subclasses__())
    return message_text(RuleBroken.message, {})


def _filled(message: str, params: Mapping[str, Any]) -> str:
    try:
        return message_text(message, dict(params))
    except KeyError:  # an older record without these figures
        return message_text(RuleBroken.message, {})


def _lines(request: OrderRequest) -> list[RequestLine]:
    if request.steps:
        return [RequestLine(step.quantity, step.price) for step in request.steps]
    options = getattr(request, "options", ())
    if options:
        return [
            RequestLine(_most(option.legs, option.quantity or request.quantity), option.limit_price)
            for option in options
        ]
    return [RequestLine(_most(request.legs, request.quantity), request.limit_price)]


def _most(legs: tuple, otherwise: Decimal | None) -> Decimal | None:
    return max((leg.quantity for leg in legs), default=otherwise)
