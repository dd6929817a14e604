"""Numbers of accounting vouchers (记账凭证): one for each entry, without a gap in a month."""

from datetime import date

from django.db import transaction
from django.db.models import Max

from marketplace.permissions import Actor
from settlement.models import AccountingVoucher, JournalEntry
from settlement.services.funds_requests import require_bookkeeper
from settlement.services.locks import lock_vouchers


@transaction.atomic
def number_vouchers(*, actor: Actor, month: date) -> int:
    """Give every money entry of a month its voucher number, in order; return how many there are.

    A number once given stays; entries posted later follow.

    Raises:
        NotPermitted: the actor does not keep the market's books.
    """
    require_bookkeeper(actor)
    first = month.replace(day=1)
    lock_vouchers()
    numbered = AccountingVoucher.objects.filter(month=first)
    last = numbered.aggregate(last=Max("running"))["last"] or 0
    waiting = (
        JournalEntry.objects.filter(
            effective_on__year=first.year,
            effective_on__month=first.month,
            voucher__isnull=True,
            postings__asset_id="CNY",
        )
        .order_by("effective_on", "pk")
        .values_list("pk", flat=True)
        .distinct()
    )
    made = AccountingVoucher.objects.bulk_create(
        (
            AccountingVoucher(entry_id=pk, month=first, running=running)
            for running, pk in enumerate(waiting, last + 1)
        ),
        batch_size=2000,
    )
    return last + len(made)
