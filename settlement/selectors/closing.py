"""What stands between a month of the books and its close.

A point of the checklist is a function in `CHECKS` that looks at a month and returns a `CheckItem`;
to add one, write it beside the table of its topic and name it there. A point that is required must
be met before the month is closed for good; any other may stay open, with a reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from marketplace.domain.periods import market_date
from marketplace.selectors.clock import market_now
from settlement.models import (
    BankLine,
    BankMatch,
    BankMatchState,
    BookPeriod,
    Delivery,
    DeliveryState,
    DepositReceipt,
    Dispute,
    DisputeState,
    InvariantRun,
    MonthlyStatement,
    MonthlyStatementState,
    ParkedItem,
    ParkedState,
    PeriodChange,
    PeriodState,
    RequestState,
    WithdrawalRequest,
)
from settlement.selectors.trial_balance import differences_by_asset, trial_balance

SHANGHAI = timedelta(hours=8)
_OPEN_DISPUTES = (DisputeState.OPENED, DisputeState.ANSWERED)
_LIVE_MATCHES = (BankMatchState.PROPOSED, BankMatchState.CONFIRMED)

_UNSEALED = """
SELECT count(*) FROM settlement_journalentry e
 WHERE e.period_id = %s AND (e.transaction_number, e.id) > coalesce((
    SELECT (h.transaction_number, h.id) FROM settlement_ledgerblock b
      JOIN settlement_journalentry h ON h.id = b.last_entry_id
     ORDER BY b.number DESC LIMIT 1), (0::bigint, 0::bigint))
"""


@dataclass(frozen=True)
class CheckItem:
    """One point of the checklist.

    Attributes:
        code: stable name.
        label: what should be so.
        passed: whether it is.
        detail: what was counted, in words.
        url: where it is mended; empty where there is no such page.
        is_required: whether the month cannot be closed for good without it.
    """

    code: str
    label: str | Promise
    passed: bool
    detail: str | Promise = ""
    url: str = ""
    is_required: bool = False


@dataclass(frozen=True)
class PeriodRow:
    """A month of the books with what is asked for it."""

    period: BookPeriod
    waiting: PeriodChange | None
    is_over: bool


def period_rows(book: str = "main") -> list[PeriodRow]:
    """Return the months of a book, the newest first."""
    changes = PeriodChange.objects.filter(state=RequestState.ENTERED).select_related("entered_by")
    waiting = {change.period_id: change for change in changes}
    periods = BookPeriod.objects.filter(book=book).select_related(
        "closed_by", "approved_by", "closing_block"
    )
    today = market_date(market_now())
    return [
        PeriodRow(period, waiting.get(period.pk), today >= period.days.upper)
        for period in periods.order_by("-days")
    ]


def period_of_month(month: date, book: str = "main") -> BookPeriod | None:
    """Return the accounting month that holds a day, None when the books have none."""
    return (
        BookPeriod.objects.select_related("closed_by", "approved_by", "closing_block")
        .filter(book=book, days__contains=month)
        .first()
    )


def checklist(period: BookPeriod) -> list[CheckItem]:
    """Return every point of the checklist of a month."""
    return [check(period) for check in CHECKS]


def failed_items(period: BookPeriod) -> list[CheckItem]:
    """Return the points that are not met."""
    return [item for item in checklist(period) if not item.passed]


def _bounds(period: BookPeriod) -> tuple[datetime, datetime]:
    """The month's first and last moment on the market's calendar."""
    starts, ends = (
        datetime(day.year, day.month, day.day, tzinfo=UTC) - SHANGHAI
        for day in (period.days.lower, period.days.upper)
    )
    return starts, ends


def _page(name: str, *arguments: object) -> str:
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def _last_day(period: BookPeriod) -> date:
    return period.days.upper - timedelta(days=1)


def _none_of(
    code: str, label: str | Promise, rows: QuerySet, url: str, *, is_required: bool = False
) -> CheckItem:
    count = rows.count()
    detail = ngettext("%(count)s is left", "%(count)s are left", count) % {"count": count}
    return CheckItem(code, label, not count, detail if count else "", url, is_required)


def _month_over(period: BookPeriod) -> CheckItem:
    is_over = market_date(market_now()) >= period.days.upper
    return CheckItem("month_over", _("The month is over"), is_over, is_required=True)


def _earlier_months(period: BookPeriod) -> CheckItem:
    earlier = BookPeriod.objects.filter(book=period.book, days__fully_lt=period.days)
    return _none_of(
        "earlier_months",
        _("Every earlier month is closed for good"),
        earlier.exclude(state=PeriodState.HARD_CLOSED),
        _page("periods"),
        is_required=True,
    )


def _settled(period: BookPeriod) -> CheckItem:
    starts, ends = _bounds(period)
    unsettled = Delivery.objects.filter(
        allocation__ends_at__gt=starts, allocation__ends_at__lte=ends
    ).exclude(state=DeliveryState.SETTLED)
    return _none_of(
        "settled",
        _("Every delivery that ended in the month is settled"),
        unsettled,
        _page("settlement-summary"),
        is_required=True,
    )


def _nothing_parked(period: BookPeriod) -> CheckItem:
    _starts, ends = _bounds(period)
    parked = ParkedItem.objects.filter(state=ParkedState.OPEN, auction__delivery_starts_at__lt=ends)
    return _none_of("parked", _("No settlement is parked"), parked, _page("parked"))


def _funds_decided(period: BookPeriod) -> CheckItem:
    _starts, ends = _bounds(period)
    receipts = DepositReceipt.objects.filter(
        state=RequestState.ENTERED, received_on__lt=period.days.upper
    )
    withdrawals = WithdrawalRequest.objects.filter(state=RequestState.ENTERED, entered_at__lt=ends)
    count = receipts.count() + withdrawals.count()
    detail = ngettext("%(count)s waits", "%(count)s wait", count) % {"count": count}
    return CheckItem(
        "funds_decided",
        _("Every receipt and withdrawal is decided"),
        not count,
        detail if count else "",
        _page("funds-desk"),
    )


def _bank_matched(period: BookPeriod) -> CheckItem:
    matched = BankMatch.objects.filter(line=OuterRef("pk"), state__in=_LIVE_MATCHES)
    lines = BankLine.objects.filter(booked_on__lt=period.days.upper).exclude(Exists(matched))
    return _none_of("bank_matched", _("Every line of the bank is matched"), lines, _page("bank"))


def _statements_confirmed(period: BookPeriod) -> CheckItem:
    statements = MonthlyStatement.objects.filter(
        month=period.days.lower,
        state__in=(MonthlyStatementState.SENT, MonthlyStatementState.OBJECTED),
    )
    return _none_of(
        "statements_confirmed",
        _("Every monthly statement is confirmed"),
        statements,
        _page("monthly-statements"),
    )


def _disputes_ended(period: BookPeriod) -> CheckItem:
    disputes = Dispute.objects.filter(state__in=_OPEN_DISPUTES, opened_on__lt=period.days.upper)
    return _none_of("disputes", _("No dispute is open"), disputes, _page("disputes"))


def _sweep_clean(period: BookPeriod) -> CheckItem:
    """A sweep counts when nothing else could be posted after it: it must follow the soft close."""
    last = InvariantRun.objects.order_by("-id").first()
    detail: str | Promise = ""
    if last is None:
        detail = _("There was no sweep yet")
    elif not last.passed:
        detail = _("The last sweep found something")
    elif period.closed_at is not None and last.recorded_at < period.closed_at:
        detail = _("The last sweep was before the month was closed softly")
    label = _("The sweep of the invariants is clean")
    return CheckItem("sweep", label, not detail, detail, _page("sweeps"), True)


def _chain_sealed(period: BookPeriod) -> CheckItem:
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, [period.pk])
        count = int(cursor.fetchone()[0])
    detail = ngettext(
        "%(count)s entry waits for its block", "%(count)s entries wait for their block", count
    ) % {"count": count}
    return CheckItem(
        "chain",
        _("Every entry of the month is sealed into the hash chain"),
        not count,
        detail if count else "",
        _page("sweeps"),
        True,
    )


def _trial_balance_zero(period: BookPeriod) -> CheckItem:
    rows = trial_balance(period.days.lower, _last_day(period))
    odd = sorted(asset for asset, off in differences_by_asset(rows).items() if off)
    url = _page("trial-balance")
    span = f"?since={period.days.lower}&until={_last_day(period)}"
    return CheckItem(
        "trial_balance",
        _("The trial balance is zero in every asset"),
        not odd,
        ", ".join(odd),
        f"{url}{span}" if url else "",
        True,
    )


CHECKS: tuple[Callable[[BookPeriod], CheckItem], ...] = (
    _month_over,
    _earlier_months,
    _settled,
    _nothing_parked,
    _funds_decided,
    _bank_matched,
    _statements_confirmed,
    _disputes_ended,
    _trial_balance_zero,
    _chain_sealed,
    _sweep_clean,
)
