"""What suppliers are owed by statement, and what stands in the way of paying it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from marketplace.models import Organisation
from settlement.models import (
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    InvoiceState,
    PayoutItem,
    PayoutState,
    Posting,
    SupplierInvoice,
    SupplierInvoiceState,
)
from settlement.selectors.cases.holds import payout_blocks

_ZERO = Decimal("0.00")
STANDING = (PayoutState.PLANNED, PayoutState.ORDERED, PayoutState.PAID)


@dataclass(frozen=True, slots=True)
class Payable:
    """A supplier's statement or credit note that is not paid in full, CNY with tax.

    Attributes:
        open_cny: gross less what payouts on their way or done hold of it.
        blocked_cny: disputed part of it, kept back.
        obstacle: why nothing of it is paid now: `tax_invoice`, `disputed`, `not_due` or empty.
    """

    invoice: Invoice
    open_cny: Decimal
    blocked_cny: Decimal
    obstacle: str

    @property
    def payable_cny(self) -> Decimal:
        """What can be paid now."""
        return _ZERO if self.obstacle else self.open_cny - self.blocked_cny


@dataclass(frozen=True, slots=True)
class SupplierPayables:
    """A supplier's open statements.

    Attributes:
        payable_cny: what can be paid now, credit notes taken off.
        ledger_cny: what the ledger says the supplier is owed.
        obstacle: why the supplier is not paid: `bank_account`, `ledger`, `nothing` or empty.
    """

    organisation: Organisation
    rows: tuple[Payable, ...]
    payable_cny: Decimal
    ledger_cny: Decimal
    obstacle: str


def open_payables(
    *, due_until: date, organisation: Organisation | None = None
) -> list[SupplierPayables]:
    """Return each supplier with open statements, by member code."""
    by_member: dict[int, list[Payable]] = {}
    members: dict[int, Organisation] = {}
    invoices = _open_invoices(organisation)
    blocks = payout_blocks(invoices)
    for invoice in invoices:
        members[invoice.organisation_id] = invoice.organisation
        payable = _payable(invoice, due_until, blocks[invoice.pk])
        by_member.setdefault(invoice.organisation_id, []).append(payable)
    owed = _owed(by_member)
    groups = [_group(members[pk], rows, owed.get(pk, _ZERO)) for pk, rows in by_member.items()]
    return sorted(groups, key=lambda group: group.organisation.code)


def _open_invoices(organisation: Organisation | None) -> list[Invoice]:
    held = (
        PayoutItem.objects.filter(invoice=OuterRef("pk"), payout__state__in=STANDING)
        .order_by()
        .values("invoice")
        .annotate(total=Sum("amount_cny"))
        .values("total")
    )
    checked = SupplierInvoice.objects.filter(
        invoice=OuterRef("pk"), state=SupplierInvoiceState.CHECKED
    )
    found = (
        Invoice.objects.filter(direction=InvoiceDirection.PAYABLE)
        .exclude(state=InvoiceState.CREDITED)
        .exclude(gross=0)
        .annotate(in_payouts=Coalesce(Subquery(held), _ZERO), is_checked=Exists(checked))
        .filter(~Q(state=InvoiceState.PAID) | Q(in_payouts__gt=0))
        .select_related("organisation", "run__auction")
        .order_by("due_on", "number")
    )
    if organisation is not None:
        found = found.filter(organisation=organisation)
    return [
        one
        for one in found
        if one.gross.amount != one.in_payouts  # type: ignore[attr-defined]
    ]


def _payable(invoice: Invoice, due_until: date, disputed_cny: Decimal) -> Payable:
    open_cny = invoice.gross.amount - invoice.in_payouts  # type: ignore[attr-defined]
    if invoice.kind == InvoiceKind.CREDIT_NOTE or open_cny < 0:
        return Payable(invoice, open_cny, _ZERO, "")
    blocked = min(disputed_cny, open_cny)
    obstacle = ""
    if not invoice.is_checked:  # type: ignore[attr-defined]
        obstacle = "tax_invoice"
    elif blocked == open_cny:
        obstacle = "disputed"
    elif invoice.due_on > due_until:
        obstacle = "not_due"
    return Payable(invoice, open_cny, blocked, obstacle)


def _owed(members: Iterable[int]) -> dict[int, Decimal]:
    rows = (
        Posting.objects.filter(
            account__purpose="supplier_payable", account__organisation__in=list(members)
        )
        .values_list("account__organisation")
        .annotate(total=Sum("amount"))
    )
    return {pk: -total for pk, total in rows}


def _group(member: Organisation, rows: list[Payable], ledger: Decimal) -> SupplierPayables:
    total = sum((row.payable_cny for row in rows), _ZERO)
    obstacle = ""
    if total <= 0:
        obstacle = "nothing"
    elif not (member.bank_account and member.bank_name):
        obstacle = "bank_account"
    elif total > ledger:
        obstacle = "ledger"
    return SupplierPayables(member, tuple(rows), total, ledger, obstacle)
