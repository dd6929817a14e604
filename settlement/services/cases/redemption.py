"""Using vouchers: on bills once they are posted, and back again when a credit note follows.

A bill is charged in full first; the voucher then pays its share into the member's funds, owed by
the issuer. So it reduces what the member pays and never what it must set aside.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, gettext_noop
from marketplace.domain.periods import market_date
from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from settlement.domain.cases.vouchers import (
    BilledPart,
    VoucherTerms,
    eligible_gross,
    redeemable,
    to_give_back,
)
from settlement.models import (
    Invoice,
    InvoiceDirection,
    InvoiceKind,
    InvoiceLine,
    JournalEntry,
    Voucher,
    VoucherMove,
    VoucherMoveKind,
    VoucherProgramme,
    VoucherState,
)
from settlement.services.accounts import account_for, voucher_account
from settlement.services.cases.vouchers import audit_voucher, locked_voucher, record_move
from settlement.services.ledger import InsufficientFunds, PostingLine, post_entry
from settlement.services.receivables import collect_receivable

_ZERO = Decimal("0.00")


class VoucherPaysNothing(RuleBroken):
    """Nothing of this bill can be paid by this voucher."""

    code = "voucher_pays_nothing"
    message = gettext_noop("This voucher pays nothing of this bill.")
    status = 409


def redeem_for_run(run_id: int) -> Decimal:
    """Use members' vouchers on the bills of a settlement run, those that end first at once first.

    A repeated call finds nothing left to pay. Returns the sum redeemed, CNY.
    """
    total = _ZERO
    bills = Invoice.objects.filter(
        run_id=run_id, direction=InvoiceDirection.RECEIVABLE, gross__gt=0
    ).exclude(kind=InvoiceKind.CREDIT_NOTE)
    for bill in bills.select_related("organisation").order_by("pk"):
        total += redeem_on_bill(bill)
    return total


def redeem_on_bill(bill: Invoice) -> Decimal:
    """Use every usable voucher of the bill's member on it; return the sum, CNY."""
    vouchers = Voucher.objects.filter(
        organisation=bill.organisation_id,
        state=VoucherState.ACTIVE,
        valid_until__gte=bill.issued_on,
        programme__valid_from__lte=bill.issued_on,
    ).order_by("valid_until", "pk")
    total = _ZERO
    for public_id in vouchers.values_list("public_id", flat=True):
        total += _redeem(bill, public_id)
    if total:
        collect_receivable(bill.organisation)
    return total


@transaction.atomic
def redeem_voucher(*, actor: Actor, public_id: UUID | str, bill_public_id: UUID | str) -> Voucher:
    """Use one's own voucher on an own bill; raises VoucherPaysNothing, NotFound, NotPermitted."""
    if actor.organisation is None or not actor.has(Role.BUYER, Role.FINANCE):
        raise NotPermitted
    own = Voucher.objects.filter(organisation=actor.organisation, public_id=public_id)
    bill = Invoice.objects.filter(
        organisation=actor.organisation,
        direction=InvoiceDirection.RECEIVABLE,
        public_id=bill_public_id,
    ).first()
    if bill is None or not own.exists():
        raise NotFound
    if not _redeem(bill, public_id, actor=actor):
        raise VoucherPaysNothing
    collect_receivable(bill.organisation)
    return own.get()


def give_back_due(now: datetime) -> int:
    """Give back what credit notes took off redeemed bills; return how many moves were made.

    A member without the free funds keeps owing it: the next sweep tries again.
    """
    del now
    redeemed = VoucherMove.objects.filter(kind=VoucherMoveKind.REDEEM)
    credited = Invoice.objects.filter(
        kind=InvoiceKind.CREDIT_NOTE, refers_to__in=redeemed.values("invoice")
    ).exclude(pk__in=VoucherMove.objects.filter(credit_note__isnull=False).values("credit_note"))
    done = 0
    for note in credited.order_by("pk"):
        try:
            done += give_back_for(note)
        except InsufficientFunds:
            continue
    return done


@transaction.atomic
def give_back_for(note: Invoice) -> int:
    """Give the vouchers of a credited bill their share back; a repeated call does nothing."""
    if note.refers_to is None:
        return 0
    moves = VoucherMove.objects.filter(kind=VoucherMoveKind.REDEEM, invoice=note.refers_to)
    done = 0
    for public_id in moves.order_by("voucher_id").values_list("voucher__public_id", flat=True):
        done += _give_back(note, note.refers_to, public_id)
    return done


@transaction.atomic
def _redeem(bill: Invoice, public_id: UUID | str, *, actor: Actor | None = None) -> Decimal:
    voucher, programme = locked_voucher(public_id=public_id)
    amount = _payable_by(voucher, programme, bill)
    if not amount:
        return _ZERO
    entry = _post(bill, voucher, programme, amount, kind="voucher_redeemed", key=bill.number)
    voucher.remaining_cny -= amount
    if not voucher.remaining_cny:
        voucher.state = VoucherState.USED_UP
    voucher.save(update_fields=["remaining_cny", "state"])
    VoucherProgramme.objects.filter(pk=programme.pk).update(redeemed_cny=F("redeemed_cny") + amount)
    record_move(
        voucher,
        VoucherMoveKind.REDEEM,
        amount,
        key=f"redeem:{bill.number}",
        invoice=bill,
        entry=entry,
        actor=actor,
    )
    audit_voucher("voucher.redeemed", voucher, actor, bill.number)
    return amount


def _payable_by(voucher: Voucher, programme: VoucherProgramme, bill: Invoice) -> Decimal:
    if voucher.state != VoucherState.ACTIVE or voucher.valid_until < bill.issued_on:
        return _ZERO
    moves = VoucherMove.objects.filter(invoice=bill, kind=VoucherMoveKind.REDEEM)
    if programme.valid_from > bill.issued_on or moves.filter(voucher=voucher).exists():
        return _ZERO
    paid = moves.filter(voucher__programme=programme).aggregate(total=Sum("amount_cny"))["total"]
    everything = moves.aggregate(total=Sum("amount_cny"))["total"] or _ZERO
    terms = terms_of(programme)
    amount = redeemable(
        eligible_cny=eligible_gross(billed_parts(bill), terms=terms),
        already_cny=paid or _ZERO,
        remaining_cny=voucher.remaining_cny,
        terms=terms,
    )
    # Several programmes together never pay more than the bill.
    return max(min(amount, bill.gross.amount - everything), _ZERO)


def terms_of(programme: VoucherProgramme) -> VoucherTerms:
    """Return what a programme asks of a bill."""
    return VoucherTerms(
        share_of_bill=programme.share_of_bill,
        valid_from=programme.valid_from,
        valid_until=programme.valid_until,
        regions=frozenset(programme.regions),
        resource_classes=frozenset(programme.resource_classes),
    )


def billed_parts(bill: Invoice) -> list[BilledPart]:
    """Return the lines of a bill with what eligibility asks: province of delivery, class."""
    rows = InvoiceLine.objects.filter(invoice=bill).values_list(
        "net_cny",
        "vat_cny",
        "delivery__allocation__hub__grid_province",
        "product__resource_class",
    )
    return [
        BilledPart(net + vat, region or "", resource_class or "")
        for net, vat, region, resource_class in rows
    ]


def _give_back(note: Invoice, bill: Invoice, public_id: UUID | str) -> int:
    voucher, programme = locked_voucher(public_id=public_id)
    moves = VoucherMove.objects.filter(voucher=voucher, invoice=bill)
    if moves.filter(credit_note=note).exists():
        return 0
    amount = to_give_back(
        redeemed_cny=_moved(bill, voucher, VoucherMoveKind.REDEEM),
        bill_cny=bill.gross.amount,
        credited_cny=_credited(note, bill),
        returned_cny=_moved(bill, voucher, VoucherMoveKind.GIVE_BACK),
    )
    entry = None
    if amount:
        entry = _post(bill, voucher, programme, -amount, kind="voucher_returned", key=note.number)
        _refill(voucher, programme, amount)
    record_move(
        voucher,
        VoucherMoveKind.GIVE_BACK,
        amount,
        key=f"back:{note.number}",
        invoice=bill,
        credit_note=note,
        entry=entry,
    )
    return 1


def _refill(voucher: Voucher, programme: VoucherProgramme, amount: Decimal) -> None:
    """A voucher that still lives can be used again; the rest of an ended one frees its budget."""
    is_usable = voucher.valid_until >= market_date(market_now())
    lives = voucher.state in (VoucherState.ACTIVE, VoucherState.USED_UP) and is_usable
    committed = F("committed_cny")
    if lives:
        voucher.remaining_cny += amount
        voucher.state = VoucherState.ACTIVE
        voucher.save(update_fields=["remaining_cny", "state"])
    VoucherProgramme.objects.filter(pk=programme.pk).update(
        redeemed_cny=F("redeemed_cny") - amount,
        committed_cny=committed if lives else committed - amount,
    )


def _credited(note: Invoice, bill: Invoice) -> Decimal:
    notes = Invoice.objects.filter(refers_to=bill, kind=InvoiceKind.CREDIT_NOTE, pk__lte=note.pk)
    return abs(notes.aggregate(total=Sum("gross"))["total"] or _ZERO)


def _moved(bill: Invoice, voucher: Voucher, kind: VoucherMoveKind) -> Decimal:
    moves = VoucherMove.objects.filter(voucher=voucher, invoice=bill, kind=kind)
    return moves.aggregate(total=Sum("amount_cny"))["total"] or _ZERO


def _post(
    bill: Invoice,
    voucher: Voucher,
    programme: VoucherProgramme,
    amount: Decimal,
    *,
    kind: str,
    key: str,
) -> JournalEntry:
    """The issuer owes what the member's funds receive; below zero the other way round."""
    funds = account_for("member_funds", organisation=bill.organisation_id)
    return post_entry(
        kind=kind,
        effective_on=market_date(market_now()),
        source_type="voucher",
        source_id=voucher.number,
        idempotency_key=f"voucher:{voucher.number}:{key}",
        postings=[
            PostingLine(voucher_account(programme.code).pk, amount, voucher.number),
            PostingLine(funds.pk, -amount, f"{voucher.number} {bill.number}"),
        ],
    )
