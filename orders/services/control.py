"""Acts on auctions and on the market's terms that take two operators: asked, decided, done."""

from datetime import timedelta
from uuid import UUID

from marketplace.domain.errors import NotFound, StateForbids
from marketplace.models import TwoPersonRequest
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.market_terms import (
    BAND_ACTION,
    RULES_ACTION,
    apply_market_rules,
    apply_price_band,
)
from marketplace.services.two_person import Execute, approve_request, ask_for
from orders.models import AUCTION_TRANSITIONS, Auction, AuctionState
from orders.services.interventions import (
    RERUN_FROM,
    cancel_auction,
    check_extension,
    extend_gate,
    rerun_auction,
)

CANCEL = "auction.cancel"
EXTEND = "auction.extend"
RERUN = "auction.rerun"
VALID_FOR = timedelta(hours=1)


def request_cancellation(*, actor: Actor, auction_id: int, reason: str) -> TwoPersonRequest:
    """Ask to call an auction off; another operator decides within an hour of real time.

    Raises:
        NotPermitted, Missing, RequestPending, StateForbids: nothing was written.
    """
    auction = _auction(auction_id)
    if not AUCTION_TRANSITIONS.is_allowed(auction.state, AuctionState.CANCELLED):
        raise StateForbids(state=auction.state)
    return _ask(actor, CANCEL, auction, reason)


def request_rerun(*, actor: Actor, auction_id: int, reason: str) -> TwoPersonRequest:
    """Ask to clear a closed, unpublished auction again; another operator decides.

    Raises:
        NotPermitted, Missing, RequestPending, StateForbids: nothing was written.
    """
    auction = _auction(auction_id)
    if auction.state not in RERUN_FROM:
        raise StateForbids(state=auction.state)
    return _ask(actor, RERUN, auction, reason)


def request_extension(
    *, actor: Actor, auction_id: int, minutes: int, reason: str
) -> TwoPersonRequest:
    """Ask to put a gate closure off by minutes of market time; another operator decides.

    Raises:
        NotPermitted, Missing, RequestPending, GateClosed, ExtensionTooLong: nothing was written.
    """
    auction = _auction(auction_id)
    check_extension(auction, minutes, market_now())
    return _ask(actor, EXTEND, auction, reason, {"minutes": minutes})


def approve(*, actor: Actor, public_id: UUID, note: str = "") -> TwoPersonRequest:
    """Approve another operator's request and carry it out at once.

    Raises:
        NotFound, NotPermitted, SecondPersonNeeded, RequestExpired, StateForbids: nothing happened.
        RuleBroken: carrying it out was refused; the request still waits.
    """
    return approve_request(actor=actor, public_id=public_id, execute=_execute, note=note)


def _execute(request: TwoPersonRequest, actor: Actor) -> None:
    _EXECUTORS[request.action](request, actor)


def _cancel(request: TwoPersonRequest, actor: Actor) -> None:
    cancel_auction(actor=actor, auction_id=int(request.object_id), reason=request.reason)


def _rerun(request: TwoPersonRequest, actor: Actor) -> None:
    rerun_auction(actor=actor, auction_id=int(request.object_id), reason=request.reason)


def _extend(request: TwoPersonRequest, actor: Actor) -> None:
    extend_gate(
        actor=actor,
        auction_id=int(request.object_id),
        minutes=int(request.params["minutes"]),
        reason=request.reason,
        asked_by=request.requested_by,
    )


_EXECUTORS: dict[str, Execute] = {
    CANCEL: _cancel,
    RERUN: _rerun,
    EXTEND: _extend,
    BAND_ACTION: apply_price_band,
    RULES_ACTION: apply_market_rules,
}


def _auction(auction_id: int) -> Auction:
    auction = Auction.objects.filter(pk=auction_id).first()
    if auction is None:
        raise NotFound(field="auction")
    return auction


def _ask(
    actor: Actor,
    action: str,
    auction: Auction,
    reason: str,
    params: dict[str, object] | None = None,
) -> TwoPersonRequest:
    return ask_for(
        actor=actor,
        action=action,
        subject=auction,
        name=auction.code,
        reason=reason,
        params=params,
        valid_for=VALID_FOR,
    )
