"""Corruptions of what flexible and interruptible orders are promised (rules 2, 5 and 7)."""

from decimal import Decimal
from typing import Any

from tests.clearing.books import buy, job, sell
from tests.clearing.forgeries import honest_books as books
from tests.clearing.forgeries.forgery import (
    Book,
    Forgery,
    NotHere,
    Result,
    corrupts,
    imposture,
    pretend,
)

FEN = Decimal("0.01")
# What sells cost in four periods: the third is dear, the second and the fourth are cheap.
COSTS = ("5", "3", "9", "4")


def night_work(**terms: Any) -> Book:
    """One job over four periods of changing price, beside buyers who take the rest."""
    curves = [sell(f"s{t}", cost, 30, period=t) for t, cost in enumerate(COSTS, start=1)]
    curves += [buy(f"b{t}", "12", 5, period=t) for t in range(1, 5)]
    orders = [{**job("job", "7", 4, 2, (1, 4)), **terms}]
    return books.book("night work", curves, periods=4, flexible_orders=orders)


def _terms(book: Book, **terms: Any) -> Book:
    return book.changed(lambda tables: tables["flexible_orders"][0].update(terms))


def _promise(book: Book, **claimed: Any) -> tuple[Book, Result]:
    result = pretend(book, _terms(book, **claimed))
    if not result.flexible_results[0].acceptance:
        raise NotHere
    return book, result


@imposture("7")
def a_job_runs_in_pieces() -> tuple[Book, Result]:
    """Periods 2 and 4 are the cheapest, and not contiguous."""
    return _promise(night_work(), interruptible="1")


@imposture("7")
def a_job_starts_before_its_window() -> tuple[Book, Result]:
    return _promise(night_work(earliest_period="3"), earliest_period="1")


@imposture("7")
def a_job_ends_after_its_window() -> tuple[Book, Result]:
    return _promise(
        night_work(interruptible="1", latest_period="3"), interruptible="1", latest_period="4"
    )


@imposture("7")
def a_job_runs_a_period_too_short() -> tuple[Book, Result]:
    return _promise(night_work(duration="3", limit_price="9"), duration="2")


@imposture("7")
def a_job_runs_a_period_too_long() -> tuple[Book, Result]:
    return _promise(night_work(duration="1"), duration="2")


@imposture("2", "7")
def an_interruptible_job_gets_more_than_its_quantity_in_a_period() -> tuple[Book, Result]:
    """Eight unit-periods as two by four, passed off as four by two."""
    return _promise(
        night_work(quantity="2", duration="4", limit_price="9", interruptible="1"),
        quantity="4",
        duration="2",
    )


@imposture("7")
def an_interruptible_job_misses_one_lot_of_its_total() -> tuple[Book, Result]:
    """Eight of nine unit-periods are called all of it."""
    return _promise(
        night_work(interruptible="1", quantity="9", duration="1", limit_price="9"),
        quantity="8",
    )


@imposture("7")
def a_job_is_filled_below_its_minimum() -> tuple[Book, Result]:
    """Six are left where it may run; half of ten would do for one who asked for that."""
    scarce = night_work(quantity="30", limit_price="5", min_acceptance="0.5").changed(
        lambda tables: [row.update(quantity=20) for row in tables["curve_orders"][:4]]
    )
    result = pretend(scarce, scarce)
    ratio = result.flexible_results[0].acceptance
    if not 0 < ratio < 1:
        raise NotHere
    above = _terms(scarce, min_acceptance=str(ratio + Decimal("0.0001")))
    return above, pretend(above, scarce)


@imposture("5")
def a_job_loses_one_tick() -> tuple[Book, Result]:
    """Periods 1 and 2 cost 8 together, 4 a period; a limit of 3.99 is a fen too low."""
    book = _terms(night_work(), limit_price="3.99")
    result = pretend(book, night_work())
    row = result.flexible_results[0]
    forgery = Forgery(book, result, 0)
    total = sum(r.quantity for r in result.assignments if r.buy_order_id == "job")
    surplus = Decimal("3.99") * total - row.payment
    forgery.edit("flexible_results", row, surplus=surplus)
    return book, forgery.result()


@corrupts("5", "8")
def a_jobs_surplus_is_one_fen_too_large(forgery: Forgery) -> None:
    row = forgery.pick(row for row in forgery.rows["flexible_results"] if row.acceptance)
    forgery.edit("flexible_results", row, surplus=row.surplus + FEN)


@corrupts("5", "8")
def a_jobs_payment_is_one_fen_too_small(forgery: Forgery) -> None:
    row = forgery.pick(row for row in forgery.rows["flexible_results"] if row.acceptance)
    forgery.edit("flexible_results", row, payment=row.payment - FEN, surplus=row.surplus + FEN)


@corrupts("5")
def a_poor_job_is_called_a_paradox_and_counted(forgery: Forgery) -> None:
    rows = [row for row in forgery.rows["flexible_results"] if row.order_id not in _placed(forgery)]
    row = forgery.pick(row for row in rows if row.reason == "out_of_the_money")
    forgery.edit("flexible_results", row, status="paradoxically_rejected")
    count = forgery.summary.paradoxically_rejected + 1
    forgery.summary = forgery.summary._replace(paradoxically_rejected=count)


def _placed(forgery: Forgery) -> set[str]:
    """Return the jobs on one listing; until they are placed they have no price."""
    jobs = forgery.book.tables.get("flexible_orders", [])
    return {row["order_id"] for row in jobs if row.get("placement")}


@corrupts("5")
def a_jobs_paradox_is_not_reported(forgery: Forgery) -> None:
    rows = forgery.rows["flexible_results"]
    jobs = forgery.book.tables.get("flexible_orders", [])
    placed = {row["order_id"] for row in jobs if row.get("placement")}
    row = forgery.pick(
        row for row in rows if row.status == "paradoxically_rejected" and row.order_id not in placed
    )
    forgery.edit("flexible_results", row, status="rejected", reason="out_of_the_money")
    count = forgery.summary.paradoxically_rejected - 1
    forgery.summary = forgery.summary._replace(paradoxically_rejected=count)


@corrupts("7", "8")
def a_job_is_told_another_acceptance_than_it_got(forgery: Forgery) -> None:
    row = forgery.pick(row for row in forgery.rows["flexible_results"] if row.acceptance)
    forgery.edit("flexible_results", row, acceptance=row.acceptance / 2, status="partly_accepted")


@corrupts("1", "7")
def a_period_of_a_job_moves(forgery: Forgery) -> None:
    """One delivery of a job is claimed to be in another period; nothing else moves."""
    jobs = {row.order_id for row in forgery.rows["flexible_results"]}
    if forgery.auction.terms.periods == 1:
        raise NotHere
    deal = forgery.pick(r for r in forgery.rows["assignments"] if r.buy_order_id in jobs)
    forgery.edit("assignments", deal, period=deal.period % forgery.auction.terms.periods + 1)


@imposture("7")
def a_job_is_placed_on_a_listing_it_does_not_accept() -> tuple[Book, Result]:
    book = _on_listings("L1")
    return book, pretend(book, _on_listings("L2"))


def _on_listings(eligible: str) -> Book:
    return books.book(
        "placed job",
        [
            *(sell("a", "2", 12, period=t, listing_id="L1") for t in (1, 2, 3)),
            *(sell("b", "3", 20, period=t, listing_id="L2") for t in (1, 2, 3)),
            *(buy("crowd", "5", 14, period=t) for t in (1, 2, 3)),
        ],
        periods=3,
        listings=[{"listing_id": "L1", "hub": "W"}, {"listing_id": "L2", "hub": "W"}],
        flexible_orders=[
            job("job", "9", 5, 2, (1, 3), placement="single", eligible_listings=eligible)
        ],
    )
