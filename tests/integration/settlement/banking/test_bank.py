"""Bank statements taken in, matched and reconciled to the fen."""

from datetime import date
from decimal import Decimal

import pytest

from marketplace.domain.errors import NotPermitted
from marketplace.domain.tables import ImportRefused
from settlement.models import (
    BankLine,
    BankMatch,
    BankMatchState,
    BankStatement,
    DepositReceipt,
    RequestState,
)
from settlement.selectors.balances import funds_of
from settlement.selectors.banking.reconciliation import reconcile
from settlement.services.banking.matching import (
    LineExceeded,
    MatchTarget,
    confirm_match,
    match_line,
    undo_match,
)
from settlement.services.banking.statements import (
    StatementGap,
    StatementKnown,
    import_statement,
)
from settlement.services.funds import confirm_deposit, record_deposit
from settlement.services.invariants import broken_invariants
from tests.factories.banking import Booking, statement_csv

DAY = date(2026, 11, 20)
NEXT = date(2026, 11, 21)


def take_in(desk, bookings, *, opening="100000.00", name="statement.csv"):
    return import_statement(
        actor=desk.people["finance"],
        account_code="MAIN",
        filename=name,
        data=statement_csv(bookings, opening=opening),
    )


def sweep():
    return [finding for finding in broken_invariants() if str(finding["code"]).startswith("I-24")]


def payment(desk, amount="500.00", **changes):
    fields = {
        "reference": "R1",
        "name": desk.buying.name_zh,
        "account": "6222111",
        "purpose": f"货款 {desk.buying.code}",
        **changes,
    }
    return Booking(DAY, amount, **fields)


def test_money_of_a_member_is_proposed_confirmed_and_credited(desk):
    before = funds_of(desk.buying).deposit_cny
    statement = take_in(desk, [payment(desk)], opening="0")
    proposal = BankMatch.objects.get(line__statement=statement)

    assert (proposal.kind, proposal.organisation) == ("deposit", desk.buying)
    assert funds_of(desk.buying).deposit_cny == before
    assert reconcile(statement).suspense_cny == Decimal("500.00")

    confirm_match(actor=desk.people["finance"], match_public_id=proposal.public_id)
    receipt = DepositReceipt.objects.get(organisation=desk.buying)
    report = reconcile(statement)

    assert funds_of(desk.buying).deposit_cny == before + 500
    assert (receipt.state, receipt.bank_reference) == (RequestState.APPROVED, "R1")
    assert (report.lines, report.difference_cny, report.suspense_cny) == ((), 0, 0)
    assert sweep() == []


def test_an_entered_receipt_is_confirmed_by_the_bank(desk):
    receipt = record_deposit(
        actor=desk.people["finance"],
        organisation=desk.buying,
        amount_cny=Decimal(700),
        bank_reference="B-700-1",
        received_on=DAY,
    )
    take_in(desk, [payment(desk, "700.00", reference="B-700-1", purpose="")], opening="0")
    proposal = BankMatch.objects.get()
    confirm_match(actor=desk.people["second"], match_public_id=proposal.public_id)
    receipt.refresh_from_db()

    assert proposal.deposit == receipt
    assert (receipt.state, receipt.decided_by) == (
        RequestState.APPROVED,
        desk.people["second"].user,
    )
    assert receipt.entry.kind == "bank_deposit"


def test_a_receipt_booked_by_hand_is_found_and_not_booked_twice(desk):
    receipt = record_deposit(
        actor=desk.people["finance"],
        organisation=desk.buying,
        amount_cny=Decimal(800),
        bank_reference="B-800",
        received_on=DAY,
    )
    confirm_deposit(actor=desk.people["second"], deposit_public_id=receipt.public_id)
    before = funds_of(desk.buying).deposit_cny
    statement = take_in(desk, [payment(desk, "800.00", reference="B-800")], opening="0")
    proposal = BankMatch.objects.get()

    assert proposal.kind == "booked"
    assert receipt.amount.amount in [item.amount for item in reconcile(statement).items] or (
        reconcile(statement).on < proposal.booked_entry.effective_on
    )

    confirm_match(actor=desk.people["finance"], match_public_id=proposal.public_id)

    assert funds_of(desk.buying).deposit_cny == before
    assert sweep() == []

    undo_match(
        actor=desk.people["finance"], match_public_id=proposal.public_id, reason="another payment"
    )

    assert sweep() == []
    assert BankMatch.objects.filter(state=BankMatchState.PROPOSED).count() == 1


def test_a_statement_is_taken_in_once_and_opens_where_the_last_one_closed(desk):
    """S-11: money announced twice, or out of order, is credited once."""
    bookings = [payment(desk), payment(desk, "30.00", reference="R2")]
    take_in(desk, bookings, opening="0")

    with pytest.raises(StatementKnown):
        take_in(desk, bookings, opening="0")
    with pytest.raises(StatementKnown):
        take_in(desk, bookings, opening="0.00")
    with pytest.raises(StatementGap):
        take_in(desk, [Booking(NEXT, "1.00")], opening="99.00")

    take_in(desk, [Booking(NEXT, "1.00", purpose="结息")], opening="530.00")

    assert BankStatement.objects.count() == 2
    assert BankMatch.objects.get(line__statement__sequence=2).kind == "interest"


def test_an_overlapping_file_adds_what_is_new_and_identical_bookings_count(desk):
    """S-11: what comes again a day later adds nothing."""
    twin = payment(desk, "10.00", reference="SAME")
    take_in(desk, [twin, twin], opening="0")
    second = take_in(desk, [twin, twin, twin, Booking(NEXT, "5.00")], opening="0")

    assert second.line_count == 2
    assert sorted(
        BankLine.objects.filter(reference="SAME").values_list("occurrence", flat=True)
    ) == [1, 2, 3]
    assert sweep() == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01",
        "交易日期,余额\n2026-11-20,1".encode(),
        statement_csv([Booking(DAY, "1.00")]).replace(b"1.00,1.00", b"1.00,7.00"),
        statement_csv([Booking(DAY, "1.00")]).replace(b"1.00", b"1.001"),
        statement_csv([Booking(DAY, "1.00")]).replace(b"1.00", b"NaN"),
        b"PK\x03\x04broken",
    ],
)
def test_a_file_that_does_not_add_up_is_refused_as_a_whole(desk, data):
    with pytest.raises(ImportRefused):
        import_statement(
            actor=desk.people["finance"], account_code="MAIN", filename="x.csv", data=data
        )
    assert BankLine.objects.count() == 0


def test_a_line_is_split_and_never_matched_beyond_its_amount(desk):
    take_in(desk, [payment(desk, "100.00", purpose="", name="", reference="")], opening="0")
    line, target = BankLine.objects.get(), MatchTarget("deposit", organisation=desk.buying)
    finance = desk.people["finance"]
    match_line(actor=finance, line_public_id=line.public_id, target=target, amount_cny=Decimal(60))

    with pytest.raises(LineExceeded):
        match_line(
            actor=finance, line_public_id=line.public_id, target=target, amount_cny=Decimal(41)
        )
    match_line(actor=finance, line_public_id=line.public_id, target=target, amount_cny=None)

    assert sweep() == []


def test_a_match_is_undone_by_its_exact_reversal(desk):
    take_in(desk, [payment(desk)], opening="0")
    before = funds_of(desk.buying).deposit_cny
    proposal = confirm_match(
        actor=desk.people["finance"], match_public_id=BankMatch.objects.get().public_id
    )
    undo_match(actor=desk.people["finance"], match_public_id=proposal.public_id, reason="wrong")
    proposal.refresh_from_db()

    assert funds_of(desk.buying).deposit_cny == before
    assert proposal.entry.reversals.count() == 1
    assert DepositReceipt.objects.get().state == RequestState.REJECTED
    assert sweep() == []


def test_only_the_market_s_finance_touches_the_bank(desk):
    for actor in (desk.buyer, desk.supplier, desk.people["operator"], desk.people["auditor"]):
        with pytest.raises(NotPermitted):
            import_statement(actor=actor, account_code="MAIN", filename="x", data=b"")
