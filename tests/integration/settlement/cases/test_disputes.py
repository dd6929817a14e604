"""Disputes: opened in time, answered, insisted upon, ruled; the money follows at once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from marketplace.domain.document_files import DocumentTypeRefused
from marketplace.domain.errors import NotFound, NotPermitted, StateForbids
from marketplace.models import AuditEvent, Role
from settlement.models import Dispute, DisputeTransition, Invoice
from settlement.selectors.cases import payout_block
from settlement.selectors.cases.disputes import evidence_for, messages_for
from settlement.services.cases.dispute_records import (
    EvidenceTwice,
    add_evidence,
    add_message,
)
from settlement.services.cases.disputes import (
    ClaimTooLarge,
    DisputeDeadlinePassed,
    DisputeOpenAlready,
    DisputeTooLate,
    answer_dispute,
    expire_disputes,
    insist_on_dispute,
    open_dispute,
    withdraw_dispute,
)
from settlement.services.cases.redemption import give_back_due, redeem_for_run
from settlement.services.cases.rulings import (
    AwardOutOfRange,
    NotReadyForRuling,
    RulingProposedAlready,
    decide_ruling,
    propose_ruling,
)
from settlement.services.funds_requests import SamePerson
from tests.factories.cases import Settled, assert_ledger_clean, clerk, programme, voucher
from tests.factories.marketplace import member, operator
from tests.factories.settlement import DELIVERY_STARTS, funded, move_clock

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40 + b"IEND"


@pytest.fixture
def settled() -> Settled:
    return Settled()


def _open(settled: Settled, amount: str = "40", **changes: object) -> Dispute:
    return open_dispute(
        **{
            "actor": member(settled.buyer, Role.BUYER),
            "delivery_public_id": settled.delivery.public_id,
            "ground": "quality",
            "claim": "Half of the cards were throttled.",
            "claimed_net_cny": Decimal(amount),
            **changes,
        }
    )


def _insisted(settled: Settled, amount: str = "40") -> Dispute:
    dispute = _open(settled, amount)
    answer_dispute(
        actor=member(settled.seller, Role.SUPPLIER), public_id=dispute.public_id, text="They ran."
    )
    return insist_on_dispute(actor=member(settled.buyer, Role.BUYER), public_id=dispute.public_id)


def _rule(dispute: Dispute, outcome: str, amount: str = "0") -> None:
    ruling = propose_ruling(
        actor=operator(),
        public_id=dispute.public_id,
        outcome=outcome,
        reason="By the readings.",
        awarded_net_cny=Decimal(amount),
    )
    decide_ruling(actor=operator(), ruling_public_id=ruling.public_id, approve=True)


def _later(days: int) -> None:
    move_clock(DELIVERY_STARTS + timedelta(days=days, hours=10))


def test_a_dispute_holds_its_part_of_the_statement(settled: Settled) -> None:
    dispute = _open(settled)

    # 40 of 100 net: 40 % of 94.92 is not paid out, 40 % of 106.53 is not collected.
    assert (dispute.held_cny, dispute.bill_part_cny) == (Decimal("37.97"), Decimal("42.61"))
    assert payout_block(settled.statement) == Decimal("37.97")
    assert payout_block(settled.bill) == 0
    with pytest.raises(DisputeOpenAlready):
        _open(settled)


def test_a_withdrawn_dispute_holds_nothing(settled: Settled) -> None:
    dispute = _open(settled)

    with pytest.raises(NotFound):
        withdraw_dispute(actor=member(settled.seller, Role.SUPPLIER), public_id=dispute.public_id)
    withdraw_dispute(actor=member(settled.buyer, Role.BUYER), public_id=dispute.public_id)

    assert payout_block(settled.statement) == 0
    assert list(DisputeTransition.objects.values_list("from_state", "to_state")) == [
        ("", "opened"),
        ("opened", "withdrawn"),
    ]


def test_strangers_and_readers_open_none(settled: Settled) -> None:
    with pytest.raises(NotFound):
        _open(settled, actor=member(funded(), Role.BUYER))
    with pytest.raises(NotPermitted):
        _open(settled, actor=member(settled.buyer, Role.AUDITOR))
    with pytest.raises(ClaimTooLarge):
        _open(settled, "100.01")


def test_after_the_deadline_nothing_is_opened(settled: Settled) -> None:
    _later(40)

    with pytest.raises(DisputeTooLate):
        _open(settled)


def test_who_does_not_insist_lets_the_dispute_expire(settled: Settled) -> None:
    dispute = _open(settled)
    answer_dispute(
        actor=member(settled.seller, Role.SUPPLIER), public_id=dispute.public_id, text="They ran."
    )
    with pytest.raises(NotReadyForRuling):
        _rule(dispute, "rejected")
    assert expire_disputes(timezone.now()) == 0

    _later(30)
    with pytest.raises(DisputeDeadlinePassed):
        insist_on_dispute(actor=member(settled.buyer, Role.BUYER), public_id=dispute.public_id)
    assert expire_disputes(DELIVERY_STARTS + timedelta(days=30)) == 1

    dispute.refresh_from_db()
    assert dispute.state == "expired"
    assert payout_block(settled.statement) == 0


def test_silence_leaves_the_ruling_to_what_is_on_file(settled: Settled) -> None:
    dispute = _open(settled)
    _later(20)

    with pytest.raises(DisputeDeadlinePassed):
        answer_dispute(
            actor=member(settled.seller, Role.SUPPLIER), public_id=dispute.public_id, text="Late."
        )
    _rule(dispute, "upheld")

    dispute.refresh_from_db()
    assert dispute.state == "ruled"


def test_a_ruling_in_part_becomes_credit_notes_at_once(settled: Settled) -> None:
    dispute = _insisted(settled)
    before = settled.available()

    _rule(dispute, "part", "25")

    notes = {note.direction: note for note in Invoice.objects.filter(kind="credit_note")}
    receivable, payable = notes["receivable"], notes["payable"]
    assert receivable.refers_to == settled.bill
    assert (receivable.net.amount, receivable.gross.amount) == (
        Decimal("-25.00"),
        Decimal("-26.50"),
    )
    # The supplier bears its own share: 22.50 of the 90.00 it was to get.
    assert payable.net.amount == Decimal("-22.50")
    assert settled.available() - before == Decimal("26.50")
    assert payout_block(settled.statement) == 0
    assert_ledger_clean()


def test_a_rejected_claim_moves_no_money(settled: Settled) -> None:
    dispute = _insisted(settled)

    _rule(dispute, "rejected")

    assert not Invoice.objects.filter(kind="credit_note").exists()
    assert payout_block(settled.statement) == 0


def test_a_supplier_may_ask_for_more(settled: Settled) -> None:
    with pytest.raises(ClaimTooLarge):
        _open(settled, "10", actor=member(settled.seller, Role.SUPPLIER))


def test_nobody_rules_alone_and_only_once(settled: Settled) -> None:
    dispute = _insisted(settled)
    judge = operator()
    with pytest.raises(NotPermitted):
        propose_ruling(
            actor=member(settled.buyer, Role.BUYER),
            public_id=dispute.public_id,
            outcome="upheld",
            reason="Me.",
        )
    with pytest.raises(AwardOutOfRange):
        _rule(dispute, "part", "40")
    ruling = propose_ruling(
        actor=judge, public_id=dispute.public_id, outcome="upheld", reason="By the readings."
    )

    with pytest.raises(RulingProposedAlready):
        _rule(dispute, "rejected")
    with pytest.raises(StateForbids):
        withdraw_dispute(actor=member(settled.buyer, Role.BUYER), public_id=dispute.public_id)
    with pytest.raises(SamePerson):
        decide_ruling(actor=judge, ruling_public_id=ruling.public_id, approve=True)
    decide_ruling(actor=operator(), ruling_public_id=ruling.public_id, approve=True)
    with pytest.raises(StateForbids):
        decide_ruling(actor=operator(), ruling_public_id=ruling.public_id, approve=True)

    assert Invoice.objects.filter(kind="credit_note").count() == 2
    assert AuditEvent.objects.filter(action="dispute.ruling_approved").count() == 1


def test_private_evidence_stays_with_its_side_and_the_market(settled: Settled) -> None:
    dispute = _open(settled)
    buyer, seller = member(settled.buyer, Role.BUYER), member(settled.seller, Role.SUPPLIER)
    args = {"public_id": dispute.public_id, "name": "../../x.png", "data": PNG}
    shown = add_evidence(actor=buyer, visibility="parties", **args)
    add_evidence(actor=seller, visibility="private", **args)
    add_message(actor=seller, public_id=dispute.public_id, text="For you.", visibility="private")

    assert (shown.name, shown.media_type, shown.size_bytes) == ("x.png", "image/png", len(PNG))
    assert list(evidence_for(buyer, dispute)) == [shown]
    assert not messages_for(buyer, dispute).exists()
    assert evidence_for(operator(), dispute).count() == 2
    assert messages_for(operator(), dispute).count() == 1
    with pytest.raises(EvidenceTwice):
        add_evidence(actor=buyer, visibility="parties", **args)
    with pytest.raises(DocumentTypeRefused):
        add_evidence(actor=buyer, public_id=dispute.public_id, name="x.png", data=b"<svg onload=x>")
    with pytest.raises(NotFound):
        add_message(actor=member(funded(), Role.BUYER), public_id=dispute.public_id, text="Hello.")


def test_a_credit_note_gives_the_voucher_its_share_back(settled: Settled) -> None:
    first, second = clerk(), clerk()
    of = programme(first=first, second=second)
    issued = voucher(of, settled.buyer, "400", first=first, second=second)
    redeem_for_run(settled.run.pk)
    _rule(_insisted(settled), "part", "25")
    before = settled.available()

    assert give_back_due(timezone.now()) == 1
    assert give_back_due(timezone.now()) == 0

    # 26.50 of 106.53 was credited: the same share of 53.26 goes back.
    assert before - settled.available() == Decimal("13.25")
    issued.refresh_from_db()
    assert issued.remaining_cny == Decimal("359.99")
    of.refresh_from_db()
    assert of.redeemed_cny == Decimal("40.01")
    assert_ledger_clean()
