"""What the ledger says on its own about recognition and netting."""

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Sum

from marketplace.models import Organisation
from settlement.models import Posting, Retirement


def units_retired_in_ledger(retirement_ids: Iterable[int]) -> Decimal:
    """Return the units that the entries of retirements carried to the retired accounts."""
    entries = Retirement.objects.filter(pk__in=set(retirement_ids)).values("movement__entry")
    rows = Posting.objects.filter(entry__in=entries, account__purpose="units_retired")
    return abs(rows.aggregate(total=Sum("amount"))["total"] or Decimal(0))


def netting_cash_in_ledger(
    entry_ids: Iterable[int | None], member: Organisation | None = None
) -> Decimal:
    """Return what members' funds received by cash entries of netting, of one member or of all."""
    rows = Posting.objects.filter(
        entry__in={entry for entry in entry_ids if entry}, account__purpose="member_funds"
    )
    if member is not None:
        rows = rows.filter(account__organisation=member)
    return -(rows.aggregate(total=Sum("amount"))["total"] or Decimal(0))
