"""Reminding of overdue bills, step by step, by the dated rule; each step once."""

from datetime import date, datetime

from django.db import transaction

from marketplace.domain.periods import market_date
from marketplace.services.outbox import emit_event
from settlement.models import DunningStep, Invoice, InvoiceDirection, InvoiceState
from settlement.selectors.cases.deadlines import DefaultTerms, default_terms
from settlement.selectors.cases.debts import owed_on
from settlement.services.banking.workdays import workdays_after

LAST_STEP = 3


def remind_overdue(now: datetime) -> int:
    """Take the due steps for every overdue bill; return how many were new.

    The third step says that the member may be declared in default. A bill whose owed rest is
    disputed is not reminded of.
    """
    today, taken = market_date(now), 0
    overdue = Invoice.objects.filter(
        direction=InvoiceDirection.RECEIVABLE, state=InvoiceState.ISSUED, due_on__lt=today
    )
    for bill in overdue.exclude(dunning__step=LAST_STEP).order_by("due_on", "pk"):
        taken += _remind(bill, now, today)
    return taken


@transaction.atomic
def _remind(bill: Invoice, now: datetime, today: date) -> int:
    locked = Invoice.objects.select_for_update(no_key=True).get(pk=bill.pk)
    owed = owed_on(locked)
    if owed <= 0 or locked.state != InvoiceState.ISSUED:
        return 0
    known = set(locked.dunning.values_list("step", flat=True))
    due = [
        (step, day)
        for step, day in _steps(locked.due_on, default_terms(locked.due_on))
        if day <= today and step not in known
    ]
    for step, day in due:
        DunningStep.objects.create(
            invoice=locked, step=step, owed_cny=owed, due_on=day, market_at=now
        )
    if due:
        # Steps missed together are told as one: only the last of them matters.
        emit_event(
            topic="bill.overdue",
            aggregate=f"invoice:{locked.pk}",
            payload={"invoice_id": locked.pk, "step": due[-1][0]},
        )
    return len(due)


def _steps(due_on: date, terms: DefaultTerms) -> list[tuple[int, date]]:
    days = (terms.first_reminder_days, terms.second_reminder_days, terms.default_days)
    return [(step, workdays_after(due_on, after)) for step, after in enumerate(days, 1)]
