"""Suppliers' tax invoices (进项发票): received by one person, checked by another; payout waits."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_transition
from settlement.models import (
    SUPPLIER_INVOICE_TRANSITIONS,
    Invoice,
    InvoiceDirection,
    SupplierInvoice,
    SupplierInvoiceState,
)
from settlement.selectors.invoices import supplied_lines
from settlement.services.accounts import account_for
from settlement.services.funds_requests import SamePerson, require_bookkeeper
from settlement.services.ledger import PostingLine, post_entry

_TAX_NUMBER_LENGTH = 20


class TaxNumberInvalid(RuleBroken):
    """A number of a fully digital tax invoice has 20 digits."""

    code = "tax_number_invalid"
    message = gettext_noop("A tax invoice number has 20 digits.")


class TaxNumberUsed(RuleBroken):
    """The tax invoice was entered before."""

    code = "tax_number_used"
    message = gettext_noop("This tax invoice was entered before.")
    status = 409


class TaxInvoiceMismatch(RuleBroken):
    """The tax invoice does not state what our statement says."""

    code = "tax_invoice_mismatch"
    message = gettext_noop(
        "The statement says %(amount)s CNY with %(vat)s CNY of tax for the compute supplied."
    )


@transaction.atomic
def record_supplier_invoice(
    *,
    actor: Actor,
    invoice_number: str,
    tax_number: str,
    issued_on: date,
    amount_cny: Decimal,
    vat_cny: Decimal,
) -> SupplierInvoice:
    """Enter a tax invoice for one of our statements to the supplier.

    Args:
        actor: a supplier's person for an own statement, or the platform's finance for any.
        invoice_number: of our statement (GJ-…).
        tax_number: 20 digits.
        issued_on: date on the tax invoice.
        amount_cny: its sum with tax.
        vat_cny: its tax.

    Raises:
        NotPermitted, NotFound: the statement is not the actor's.
        TaxNumberInvalid, TaxNumberUsed: with the field.
    """
    if not (actor.is_platform_finance or actor.can_sell):
        raise NotPermitted
    statements = Invoice.objects.filter(number=invoice_number, direction=InvoiceDirection.PAYABLE)
    if not actor.is_platform_finance:
        statements = statements.filter(organisation=actor.organisation)
    statement = statements.select_related("organisation").first()
    if statement is None:
        raise NotFound
    if len(tax_number) != _TAX_NUMBER_LENGTH or not (tax_number.isascii() and tax_number.isdigit()):
        raise TaxNumberInvalid(field="tax_number")
    if SupplierInvoice.objects.filter(tax_number=tax_number).exists():
        raise TaxNumberUsed(field="tax_number")
    received = SupplierInvoice.objects.create(
        invoice=statement,
        organisation=statement.organisation,
        tax_number=tax_number,
        issued_on=issued_on,
        amount=amount_cny,
        vat=vat_cny,
        entered_by=actor.user,
    )
    _audit("supplier_invoice.received", received, actor)
    return received


@transaction.atomic
def check_supplier_invoice(
    *, actor: Actor, tax_number: str, approve: bool, reason: str = ""
) -> SupplierInvoice:
    """Find a tax invoice right, which makes its tax deductible, or refuse it.

    Raises:
        NotPermitted, NotFound, SamePerson: the actor may not decide it.
        StateForbids: it was decided before.
        TaxInvoiceMismatch: it differs from our statement.
    """
    require_bookkeeper(actor)
    received = (
        SupplierInvoice.objects.select_for_update(no_key=True, of=("self",))
        .select_related("invoice", "organisation")
        .filter(tax_number=tax_number)
        .first()
    )
    if received is None:
        raise NotFound
    target = SupplierInvoiceState.CHECKED if approve else SupplierInvoiceState.REFUSED
    check_transition(SUPPLIER_INVOICE_TRANSITIONS, received.state, target)
    if received.entered_by_id == actor.user.pk:
        raise SamePerson
    if approve:
        _require_match(received)
        _move_input_tax(received, actor)
    received.state = target
    received.decided_by = actor.user
    received.save(update_fields=["state", "decided_by"])
    _audit(f"supplier_invoice.{target.value}", received, actor, reason)
    return received


def _require_match(received: SupplierInvoice) -> None:
    sums = list(supplied_lines(received.invoice).values_list("net_cny", "vat_cny"))
    net = sum((net for net, _ in sums), Decimal(0))
    vat = sum((vat for _, vat in sums), Decimal(0))
    if (received.amount.amount, received.vat.amount) != (net + vat, vat):
        raise TaxInvoiceMismatch(field="amount", amount=net + vat, vat=vat)


def _move_input_tax(received: SupplierInvoice, actor: Actor) -> None:
    if not received.vat.amount:
        return
    post_entry(
        kind="input_tax",
        effective_on=market_date(market_now()),
        source_type="supplier_invoice",
        source_id=received.tax_number,
        idempotency_key=f"input-tax:{received.invoice.number}",
        postings=[
            PostingLine(account_for("vat_input").pk, received.vat.amount, received.tax_number),
            PostingLine(
                account_for("vat_input_pending").pk, -received.vat.amount, received.tax_number
            ),
        ],
        actor=actor.user,
    )


def _audit(action: str, received: SupplierInvoice, actor: Actor, reason: str = "") -> None:
    record_audit(
        action=action,
        subject=received,
        actor=actor.user,
        organisation=received.organisation,
        after={"amount": format(received.amount.amount, "f"), "state": received.state},
        reason=reason,
    )
