"""数电票 that we issue to members: requested, issued on the tax platform, reversed in red.

The tax authority's platform issues; we keep what was asked for and what came back. A refusal for
want of quota is a normal outcome: the request waits and is tried again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Organisation, Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.domain.numbering import DocumentSeries
from settlement.models import (
    TAX_INVOICE_TRANSITIONS,
    Invoice,
    InvoiceDirection,
    InvoiceLine,
    InvoiceLineKind,
    MonthlyStatement,
    MonthlyStatementState,
    TaxInvoice,
    TaxInvoiceItem,
    TaxInvoiceKind,
    TaxInvoiceLine,
    TaxInvoiceState,
)
from settlement.services.banking.history import move_document, note_transition
from settlement.services.funds_requests import require_bookkeeper
from settlement.services.locks import lock_monthly_statements
from settlement.services.numbering import take_numbers
from settlement.services.supplier_invoices import TaxNumberInvalid, TaxNumberUsed

MOST_LINES = 2000
_DIGITS = 20
_STATE = TaxInvoiceState
FAILURE_CODES = ("quota", "title", "platform", "other")


class BillNotOpenForTax(RuleBroken):
    """A bill stands on another tax invoice, has nothing of ours to invoice, or is unknown."""

    code = "bill_not_open_for_tax"
    message = gettext_noop("Bill %(number)s cannot be put on this tax invoice.")
    status = 409


class StatementObjected(RuleBroken):
    """The member objects to the month that the bill belongs to."""

    code = "statement_objected"
    message = gettext_noop("The statement of %(month)s is objected to; settle that first.")
    status = 409


class NothingToInvoice(RuleBroken):
    """The bills come to nothing, or below."""

    code = "nothing_to_invoice"
    message = gettext_noop("The chosen bills come to %(sum)s CNY: there is nothing to invoice.")


class TooManyTaxLines(RuleBroken):
    """A tax invoice holds at most 2,000 lines."""

    code = "too_many_tax_lines"
    message = gettext_noop("A tax invoice has at most %(most)s lines; choose fewer bills.")


class IssuedOnOtherYear(RuleBroken):
    """A 20-digit number begins with the year of issue."""

    code = "issued_on_other_year"
    message = gettext_noop("The number begins with another year than the date of issue.")


@dataclass(frozen=True)
class _Line:
    name_zh: str
    name_en: str
    unit: str
    quantity: Decimal
    net: Decimal
    vat_rate: Decimal
    vat: Decimal


@transaction.atomic
def request_tax_invoice(
    *, actor: Actor, organisation: Organisation, kind: str, bills: Sequence[Invoice]
) -> TaxInvoice:
    """Ask for a tax invoice for bills; lines of the same goods and rate are summed.

    Of a supplier's settlement statement only our service fee is on it.

    Args:
        actor: a finance person of the member, or the market's finance.
        organisation: the member that gets the invoice.
        kind: special or ordinary.
        bills: of the member, on no other tax invoice that counts.

    Raises:
        NotPermitted: the actor may not ask for this member.
        BillNotOpenForTax, StatementObjected, NothingToInvoice, TooManyTaxLines: with the field.
    """
    _require_asker(actor, organisation)
    if kind not in TaxInvoiceKind.values:
        raise RuleBroken("choice_unknown", gettext_noop("Choose one of the list."), "kind")
    lock_monthly_statements(organisation.pk)
    for bill in bills:
        _check_bill(bill, organisation)
    lines, sums = _lines(bills)
    net = sum((line.net for line in lines), Decimal("0.00"))
    vat = sum((line.vat for line in lines), Decimal("0.00"))
    if net + vat <= 0:
        raise NothingToInvoice(field="bills", sum=net + vat)
    if len(lines) > MOST_LINES:
        raise TooManyTaxLines(field="bills", most=MOST_LINES)
    made = _create(actor, organisation, kind, net, vat)
    TaxInvoiceLine.objects.bulk_create(
        TaxInvoiceLine(
            tax_invoice=made,
            line=number,
            name_zh=line.name_zh[:120],
            name_en=line.name_en[:160],
            unit=line.unit[:20],
            quantity=line.quantity,
            net_cny=line.net,
            vat_rate=line.vat_rate,
            vat_cny=line.vat,
        )
        for number, line in enumerate(lines, 1)
    )
    TaxInvoiceItem.objects.bulk_create(
        TaxInvoiceItem(tax_invoice=made, invoice=bill, gross_cny=sums[bill.pk]) for bill in bills
    )
    note_transition(made, "", actor=actor.user)
    _audit("tax_invoice.requested", made, actor)
    return made


@transaction.atomic
def record_issued(
    *, actor: Actor, public_id: UUID | str, tax_number: str, issued_on: date
) -> TaxInvoice:
    """Note the 20-digit number that the tax platform gave.

    Raises:
        NotPermitted, NotFound: the actor may not, or there is no such request.
        TaxNumberInvalid, TaxNumberUsed, IssuedOnOtherYear: with the field.
        StateForbids: it is not waiting.
    """
    found = _locked(actor, public_id)
    _check_number(tax_number, issued_on, "tax_number")
    return _move(
        found,
        _STATE.ISSUED,
        actor,
        changes={
            "tax_number": tax_number,
            "issued_on": issued_on,
            "failure_code": "",
            "failure_text": "",
        },
    )


@transaction.atomic
def record_failed(*, actor: Actor, public_id: UUID | str, code: str, text: str) -> TaxInvoice:
    """Note that the tax platform would not issue it, such as for want of quota.

    Raises:
        NotPermitted, NotFound, Missing, StateForbids: as the others.
    """
    found = _locked(actor, public_id)
    if code not in FAILURE_CODES:
        raise RuleBroken("choice_unknown", gettext_noop("Choose one of the list."), "code")
    why = check_text(text, field="text", max_length=200, required=True)
    return _move(
        found, _STATE.FAILED, actor, note=why, changes={"failure_code": code, "failure_text": why}
    )


@transaction.atomic
def retry_request(*, actor: Actor, public_id: UUID | str) -> TaxInvoice:
    """Put a refused request into the queue again; raises NotPermitted, NotFound, StateForbids."""
    found = _locked(actor, public_id)
    return _move(found, _STATE.REQUESTED, actor, changes={"failure_code": "", "failure_text": ""})


@transaction.atomic
def withdraw_request(*, actor: Actor, public_id: UUID | str) -> TaxInvoice:
    """Withdraw a request that is not issued; its bills are free for another.

    Raises:
        NotPermitted, NotFound, StateForbids: as the others; the member may withdraw its own.
    """
    found = _locked(actor, public_id, member_too=True)
    found.items.update(counts=False)
    return _move(found, _STATE.WITHDRAWN, actor)


@transaction.atomic
def request_red_letter(*, actor: Actor, public_id: UUID | str, reason: str) -> TaxInvoice:
    """Begin the reversal of an issued invoice; the confirmation form is waited for.

    Raises:
        NotPermitted, NotFound, Missing, StateForbids: as the others.
    """
    found = _locked(actor, public_id)
    why = check_text(reason, field="reason", max_length=200, required=True)
    return _move(found, _STATE.RED_REQUESTED, actor, note=why, changes={"red_reason": why})


@transaction.atomic
def cancel_red_letter(*, actor: Actor, public_id: UUID | str) -> TaxInvoice:
    """Give a reversal up: the invoice stands. Raises NotPermitted, NotFound, StateForbids."""
    found = _locked(actor, public_id)
    return _move(found, _STATE.ISSUED, actor, changes={"red_reason": ""})


@transaction.atomic
def record_red_letter(
    *,
    actor: Actor,
    public_id: UUID | str,
    confirmation: str,
    tax_number: str,
    issued_on: date,
) -> TaxInvoice:
    """Note the red-letter invoice and the number of its confirmation form (红字确认单).

    Its bills are free for another tax invoice.

    Raises:
        NotPermitted, NotFound, Missing: the actor may not, or something was not given.
        TaxNumberInvalid, TaxNumberUsed, IssuedOnOtherYear: with the field.
        StateForbids: no reversal was begun.
    """
    found = _locked(actor, public_id)
    form = check_text(confirmation, field="confirmation", max_length=30, required=True)
    _check_number(tax_number, issued_on, "tax_number")
    found.items.update(counts=False)
    return _move(
        found,
        _STATE.RED_LETTERED,
        actor,
        note=form,
        changes={
            "red_confirmation": form,
            "red_number": tax_number,
            "red_issued_on": issued_on,
        },
    )


def _require_asker(actor: Actor, organisation: Organisation) -> None:
    is_own = actor.organisation == organisation and actor.has(Role.FINANCE)
    if not (actor.is_platform_finance or (is_own and not organisation.is_platform)):
        raise NotPermitted


def _check_bill(bill: Invoice, organisation: Organisation) -> None:
    if bill.organisation_id != organisation.pk or bill.tax_items.filter(counts=True).exists():
        raise BillNotOpenForTax(field="bills", number=bill.number)
    month = bill.issued_on.replace(day=1)
    objected = MonthlyStatement.objects.filter(
        organisation=organisation, month=month, state=MonthlyStatementState.OBJECTED
    )
    if objected.exists():
        raise StatementObjected(field="bills", month=f"{month:%Y-%m}")


def _lines(bills: Sequence[Invoice]) -> tuple[list[_Line], dict[int, Decimal]]:
    """Sum the bills' lines by goods and rate; also return what each bill adds."""
    groups: dict[tuple[str, int, Decimal], list[InvoiceLine]] = {}
    sums: dict[int, Decimal] = {bill.pk: Decimal("0.00") for bill in bills}
    sides = {bill.pk: bill.direction for bill in bills}
    rows = InvoiceLine.objects.filter(invoice__in=bills).select_related("product")
    for row in rows.order_by("invoice_id", "line"):
        is_fee = row.kind == InvoiceLineKind.FEE
        sign = 1
        if sides[row.invoice_id] == InvoiceDirection.PAYABLE:
            if not is_fee:
                continue  # compute that the supplier invoices to us
            sign = -1
        row.net_cny, row.vat_cny = sign * row.net_cny, sign * row.vat_cny
        sums[row.invoice_id] += row.net_cny + row.vat_cny
        product = 0 if is_fee or row.product_id is None else row.product_id
        groups.setdefault((row.kind, product, row.vat_rate), []).append(row)
    return [_sum_line(rows) for _key, rows in sorted(groups.items())], sums


def _sum_line(rows: Sequence[InvoiceLine]) -> _Line:
    first = rows[0]
    product = first.product if first.kind != InvoiceLineKind.FEE else None
    return _Line(
        name_zh=product.name_zh if product else "交易服务费",
        name_en=product.name_en if product else "Service fee",
        unit=product.unit_zh if product else "",
        quantity=sum((row.unit_hours for row in rows), Decimal(0)) if product else Decimal(0),
        net=sum((row.net_cny for row in rows), Decimal("0.00")),
        vat_rate=first.vat_rate,
        vat=sum((row.vat_cny for row in rows), Decimal("0.00")),
    )


def _create(
    actor: Actor, organisation: Organisation, kind: str, net: Decimal, vat: Decimal
) -> TaxInvoice:
    today = market_date(market_now())
    return TaxInvoice.objects.create(
        number=take_numbers(series=DocumentSeries.TAX_REQUEST, day=today)[0],
        organisation=organisation,
        kind=kind,
        title=organisation.invoice_title or organisation.name_zh,
        tax_id=organisation.tax_id or organisation.credit_code,
        address=f"{organisation.invoice_address} {organisation.invoice_phone}".strip(),
        bank=f"{organisation.bank_name} {organisation.bank_account}".strip(),
        net_cny=net,
        vat_cny=vat,
        gross_cny=net + vat,
        requested_by=actor.user,
    )


def _locked(actor: Actor, public_id: UUID | str, *, member_too: bool = False) -> TaxInvoice:
    rows = TaxInvoice.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "organisation"
    )
    if member_too and not actor.is_platform_finance and actor.has(Role.FINANCE):
        rows = rows.filter(organisation=actor.organisation)
    else:
        require_bookkeeper(actor)
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def _check_number(tax_number: str, issued_on: date, field: str) -> None:
    if len(tax_number) != _DIGITS or not (tax_number.isascii() and tax_number.isdigit()):
        raise TaxNumberInvalid(field=field)
    if tax_number[:2] != f"{issued_on:%y}":
        raise IssuedOnOtherYear(field="issued_on")
    rows = TaxInvoice.objects
    if rows.filter(tax_number=tax_number).exists() or rows.filter(red_number=tax_number).exists():
        raise TaxNumberUsed(field=field)


def _move(
    found: TaxInvoice,
    target: TaxInvoiceState,
    actor: Actor,
    *,
    note: str = "",
    changes: dict[str, object] | None = None,
) -> TaxInvoice:
    move_document(
        found, TAX_INVOICE_TRANSITIONS, target, actor=actor.user, note=note, changes=changes
    )
    _audit(f"tax_invoice.{target.value}", found, actor, note)
    return found


def _audit(action: str, found: TaxInvoice, actor: Actor, reason: str = "") -> None:
    record_audit(
        action=action,
        subject=found,
        actor=actor.user,
        organisation=found.organisation,
        after={"number": found.number, "gross": format(found.gross_cny, "f")},
        reason=reason,
    )
