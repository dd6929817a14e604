"""camt.053 taken in, pain.001 given out: the same checks and figures as the bank's own tables."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from marketplace.domain.errors import NotPermitted
from marketplace.domain.tables import ImportRefused
from settlement.domain.formats.pain001 import PAIN_001
from settlement.exports.banking.payment_messages import PayerAccountMissing, payment_message
from settlement.models import BankAccount, BankLine, BankMatch, BankStatement, JournalEntry
from settlement.selectors.banking.reconciliation import reconcile
from settlement.services.banking.matching import confirm_match
from settlement.services.banking.payouts import approve_payout_batch
from settlement.services.banking.statement_reading import (
    BalanceContradicted,
    StatementOfOtherAccount,
)
from settlement.services.banking.statements import (
    BookedBeforeReconciling,
    StatementGap,
    StatementInFuture,
    StatementKnown,
    import_statement,
)
from settlement.services.invariants import broken_invariants
from tests.factories.bank_messages import camt_xml, entry_xml
from tests.factories.banking import Booking, statement_csv
from tests.integration.settlement.banking.test_payouts import make, ready  # noqa: F401

DAY = date(2026, 11, 20)


def take_in(desk, data, **given):
    return import_statement(
        actor=desk.people["finance"],
        account_code="MAIN",
        filename="statement.xml",
        data=data,
        **given,
    )


def payment(desk):
    return Booking(DAY, "500.00", "R1", desk.buying.name_zh, "6222111", "货款")


def test_a_message_is_booked_proposed_and_reconciled_like_a_table(desk):
    statement = take_in(desk, camt_xml([payment(desk)]))
    proposal = BankMatch.objects.get(line__statement=statement)
    confirm_match(actor=desk.people["finance"], match_public_id=proposal.public_id)

    assert (statement.opening_cny, statement.closing_cny) == (0, 500)
    assert (proposal.kind, proposal.organisation) == ("deposit", desk.buying)
    assert reconcile(statement).difference_cny == 0
    assert [f for f in broken_invariants() if str(f["code"]).startswith("I-24")] == []


def test_a_message_follows_a_table_and_is_taken_in_once(desk):
    take_in(desk, statement_csv([payment(desk)], opening="0"))
    second = camt_xml([Booking(DAY, "-20.00", "R2", "", "", "手续费")], opening="500")
    take_in(desk, second)

    with pytest.raises(StatementKnown):
        take_in(desk, second)
    with pytest.raises(StatementKnown):
        take_in(desk, second.replace(b"<Id>S-1</Id>", b"<Id>S-2</Id>"))
    with pytest.raises(StatementGap):
        take_in(desk, camt_xml([payment(desk)], opening="7"))
    assert BankStatement.objects.count() == 2
    assert BankMatch.objects.get(line__statement__sequence=2).kind == "charge"


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (camt_xml([], closing="1.00", more=entry_xml("1.00"), account="999"), "other"),
        (camt_xml([], closing="1.00", more=entry_xml("1.00", day="2026-12-30")), "future"),
        (camt_xml([], closing="1.00", more=entry_xml("1.00", day="2026-10-30")), "before"),
        (camt_xml([], closing="1.00", more=entry_xml("1.00", day="2026-10-")), "day"),
        (camt_xml([], closing="2.00", more=entry_xml("1.00")), "sum"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + camt_xml([]), "entity"),
    ],
)
def test_nothing_of_a_refused_message_is_stored(desk, data, refusal):
    entries = JournalEntry.objects.count()
    kinds = {
        "other": StatementOfOtherAccount,
        "future": StatementInFuture,
        "before": BookedBeforeReconciling,
    }

    with pytest.raises(kinds.get(refusal, ImportRefused)):
        take_in(desk, data)

    assert (BankStatement.objects.count(), BankLine.objects.count()) == (0, 0)
    assert JournalEntry.objects.count() == entries


def test_a_balance_entered_by_hand_may_not_contradict_the_message(desk):
    data = camt_xml([payment(desk)])
    with pytest.raises(BalanceContradicted):
        take_in(desk, data, opening_cny=Decimal(1))

    assert take_in(desk, data, opening_cny=Decimal(0), closing_cny=Decimal(500)).line_count == 1


def test_only_the_market_s_finance_takes_a_message_in(desk):
    for actor in (desk.buyer, desk.supplier, desk.people["operator"], desk.people["auditor"]):
        with pytest.raises(NotPermitted):
            import_statement(actor=actor, account_code="MAIN", filename="x", data=camt_xml([]))


def test_a_batch_goes_to_the_bank_and_comes_back_by_its_own_reference(ready):  # noqa: F811
    batch = make(ready)
    batch = approve_payout_batch(actor=ready.people["second"], batch_public_id=batch.public_id)
    data = payment_message(batch, PAIN_001)
    order = PAIN_001.read(data)
    payout = batch.payouts.get()

    assert (order.number, order.total) == (batch.number, batch.total_cny)
    assert order.ordered_at.utcoffset() == timedelta(hours=8)
    assert order.payer.account == BankAccount.objects.get().number
    assert [(one.reference, one.payee.name) for one in order.payments] == [
        (payout.number, payout.payee_name)
    ]
    batch.refresh_from_db()
    assert payment_message(batch, PAIN_001) == data

    refs = f"<Refs><EndToEndId>{payout.number}</EndToEndId></Refs>"
    sent = f"<NtryDtls><TxDtls>{refs}</TxDtls></NtryDtls>"
    more = entry_xml(f"-{payout.amount_cny}", inside=sent)
    take_in(ready, camt_xml([], closing=f"-{payout.amount_cny}", more=more))

    assert BankMatch.objects.get().payout == payout


def test_without_an_account_of_the_market_there_is_no_message(ready):  # noqa: F811
    batch = make(ready)
    BankAccount.objects.all().delete()

    with pytest.raises(PayerAccountMissing):
        payment_message(batch, PAIN_001)
