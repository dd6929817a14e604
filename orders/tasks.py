"""Tasks of the orders app. Beat knocks; what is due stands in the database."""

from celery import shared_task

from marketplace.selectors.clock import market_now
from marketplace.services import market_terms, two_person
from marketplace.services.background import enqueue_on_commit
from orders.services import (
    auctions,
    clearing_parts,
    dividend,
    indicative,
    late_offers,
    standing_bids,
    surveillance,
)
from orders.services.run_checks import carry_out_check


@shared_task
def sweep_auctions() -> None:
    """Make auctions that are due to exist, and wake a worker for each that has something to do."""
    auctions.create_due_auctions(now=market_now())
    for auction_id in auctions.claim_due_auctions():
        enqueue_on_commit("orders.tasks.advance_auction", auction_id=auction_id)
    for auction_id in standing_bids.auctions_to_copy():
        enqueue_on_commit("orders.tasks.copy_standing_bids", auction_id=auction_id)


@shared_task
def advance_auction(*, auction_id: int) -> None:
    """Run every phase of an auction that is due; a repeated or late message does no harm."""
    auctions.advance_auction(auction_id=auction_id)


@shared_task
def clear_part(*, run_id: int) -> None:
    """Clear what parts of a frozen book nobody is at; a repeated or late message does no harm."""
    clearing_parts.clear_part_of(run_id=run_id)


@shared_task
def join_open_auctions() -> int:
    """Put listings that were offered lately into the auctions that take orders."""
    return late_offers.join_open_auctions()


@shared_task
def sweep_indicative() -> None:
    """Publish the indicative figures whose mark has come, one auction after the other."""
    for auction_id, marked_at in indicative.due_marks():
        indicative.publish_indicative(auction_id=auction_id, marked_at=marked_at)


@shared_task
def sweep_surveillance() -> int:
    """Look at what was published since the last time; what was found stays found."""
    return surveillance.watch_published()


@shared_task
def expire_two_person_requests() -> int:
    """End requests that nobody decided in time, and put price bands in force that have begun."""
    market_terms.apply_due_bands(now=market_now())
    return two_person.expire_requests()


@shared_task
def check_run(*, check_id: int) -> None:
    """Clear a published run again for comparison."""
    carry_out_check(check_id=check_id)


@shared_task
def copy_standing_bids(*, auction_id: int) -> None:
    """Put the standing bids into an open auction; a repeated or late message does no harm."""
    standing_bids.copy_standing_bids(auction_id=auction_id)


@shared_task
def sweep_dividends() -> None:
    """Wake a worker for the newest published run whose coupling dividend is due."""
    dividend_id = dividend.claim_due_dividend()
    if dividend_id is not None:
        enqueue_on_commit("orders.tasks.compute_dividend", dividend_id=dividend_id)


@shared_task
def compute_dividend(*, dividend_id: int) -> None:
    """Clear a published book once more without links; a repeated message does no harm."""
    dividend.compute_dividend(dividend_id=dividend_id)
