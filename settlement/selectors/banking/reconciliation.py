"""The bank account in the ledger against the bank's own statement, to the fen."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from settlement.models import (
    BankAccount,
    BankLine,
    BankMatch,
    BankMatchKind,
    BankMatchState,
    BankStatement,
    Posting,
)

_ZERO = Decimal("0.00")
_MONEY: "DecimalField[Decimal, Decimal]" = DecimalField(max_digits=18, decimal_places=2)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Bank and ledger as of the end of a statement, CNY.

    Attributes:
        lines: bookings of the bank that nobody has explained, with what is left of each.
        items: postings on the ledger's bank account that no statement shows.
        ledger_cny: balance of the ledger's bank account.
        difference_cny: ledger less what it should be; zero unless something is wrong.
    """

    account: BankAccount
    on: date
    opening_cny: Decimal
    incoming_cny: Decimal
    outgoing_cny: Decimal
    closing_cny: Decimal
    matched_cny: Decimal
    lines: tuple[BankLine, ...]
    lines_cny: Decimal
    items: tuple[Posting, ...]
    items_cny: Decimal
    ledger_cny: Decimal
    suspense_cny: Decimal

    @property
    def difference_cny(self) -> Decimal:
        """Ledger balance less the statement's closing and what no statement shows."""
        return self.ledger_cny - self.closing_cny - self.items_cny


def reconcile(statement: BankStatement) -> Reconciliation:
    """Return the reconciliation of an account as of the last day of a statement."""
    account, on = statement.account, statement.ends_on
    upto = BankLine.objects.filter(account=account, statement__sequence__lte=statement.sequence)
    sums = statement.lines.aggregate(
        came=Coalesce(Sum("amount_cny", filter=Q(amount_cny__gt=0)), _ZERO),
        went=Coalesce(Sum("amount_cny", filter=Q(amount_cny__lt=0)), _ZERO),
    )
    lines = tuple(line for line in with_left(upto) if line.left_cny)  # type: ignore[attr-defined]
    items = tuple(unmatched_items(account, on=on))
    total = upto.aggregate(total=Sum("amount_cny"))["total"] or _ZERO
    left = sum((line.left_cny for line in lines), _ZERO)  # type: ignore[attr-defined]
    postings = Posting.objects.filter(account=account.ledger_account_id)
    return Reconciliation(
        account=account,
        on=on,
        opening_cny=statement.opening_cny,
        incoming_cny=sums["came"],
        outgoing_cny=sums["went"],
        closing_cny=statement.closing_cny,
        matched_cny=total - left,
        lines=lines,
        lines_cny=left,
        items=items,
        items_cny=sum((item.amount for item in items), _ZERO),
        ledger_cny=_sum(postings.filter(entry__effective_on__lte=on)),
        suspense_cny=-_sum(Posting.objects.filter(account__purpose="bank_suspense")),
    )


def with_left(lines: QuerySet[BankLine]) -> QuerySet[BankLine]:
    """Annotate bank lines with what is not matched of them, as ``left_cny``."""
    matched = (
        BankMatch.objects.filter(line=OuterRef("pk"), state=BankMatchState.CONFIRMED)
        .order_by()
        .values("line")
        .annotate(total=Sum("amount_cny"))
        .values("total")
    )
    return lines.annotate(
        left_cny=F("amount_cny")
        - Coalesce(Subquery(matched, output_field=_MONEY), Value(_ZERO), output_field=_MONEY)
    ).order_by("booked_on", "pk")


def unmatched_items(account: BankAccount, *, on: date) -> list[Posting]:
    """Return postings on the bank account that are on no statement, up to a day."""
    explained = BankMatch.objects.filter(state=BankMatchState.CONFIRMED, kind=BankMatchKind.BOOKED)
    return list(
        Posting.objects.filter(
            account=account.ledger_account_id,
            entry__effective_on__lte=on,
            entry__effective_on__gte=account.reconciled_from,
        )
        .exclude(entry__source_type__in=("bank_line", "bank_match"))
        .exclude(entry__in=explained.values("booked_entry"))
        .select_related("entry")
        .order_by("entry__effective_on", "pk")
    )


def _sum(postings: object) -> Decimal:
    total = postings.aggregate(total=Sum("amount"))["total"]  # type: ignore[attr-defined]
    return (total or _ZERO).quantize(_ZERO)
