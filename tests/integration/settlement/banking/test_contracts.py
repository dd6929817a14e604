"""Contracts of an allocation, signed by way of files."""

import json

import pytest

from marketplace.domain.errors import NotFound, NotPermitted, StateForbids
from marketplace.models import AuditEvent, Role
from orders.models import Allocation
from settlement.exports.banking.contract_pdf import contract_context
from settlement.models import ContractState
from settlement.selectors.banking.contracts import parties_of
from settlement.services.banking.contract_answers import (
    AlreadySigned,
    SignedElsewhere,
    answers_on,
    decline_contract,
    sign_contract,
)
from settlement.services.banking.contracts import (
    ContractNotSigned,
    collect_signature,
    draw_up_contracts,
    send_contract,
    void_contract,
)
from settlement.services.banking.signing import FileSignatures
from tests.web.desks import colleague, stranger

# What was sold cannot be changed, not even locked, by the role that serves.
pytestmark = pytest.mark.runtime_role


@pytest.fixture
def sale(desk):
    allocation = Allocation.objects.order_by("pk").first()
    return draw_up_contracts(actor=desk.people["finance"], allocation=allocation)[0]


def test_two_contracts_stand_behind_an_allocation(desk, sale):
    again = draw_up_contracts(actor=desk.people["finance"], allocation=sale.allocation)

    assert again[0] == sale
    assert [one.side for one in again] == ["sale", "purchase"]
    assert [role for role, _party in parties_of(again[1])] == ["supplier", "market"]
    assert contract_context(sale)["receiver"] == desk.buying


def test_a_contract_is_signed_only_as_the_document_that_was_sent(desk, sale, tmp_path):
    files, finance = FileSignatures(tmp_path), desk.people["finance"]
    key = {"actor": finance, "public_id": sale.public_id, "service": files}
    sent = send_contract(**key, draw=lambda _one: b"%PDF-1.7 contract")
    with pytest.raises(ContractNotSigned):
        collect_signature(**key)
    (tmp_path / "inbox").mkdir()
    answer = tmp_path / "inbox" / f"{sent.envelope}.json"
    answer.write_text(json.dumps({"state": "signed", "sha256": "other"}))
    with pytest.raises(ContractNotSigned):
        collect_signature(**key)
    answer.write_text(json.dumps({"state": "signed", "sha256": sent.content_sha256}))

    assert collect_signature(**key).state == ContractState.SIGNED
    assert (tmp_path / "outbox" / sent.envelope / "document.pdf").read_bytes()[:5] == b"%PDF-"
    with pytest.raises(StateForbids):
        void_contract(actor=finance, public_id=sale.public_id, reason="too late")


def test_a_void_contract_makes_room_for_another(desk, sale):
    void_contract(actor=desk.people["finance"], public_id=sale.public_id, reason="wrong party")
    again = draw_up_contracts(actor=desk.people["finance"], allocation=sale.allocation)

    assert again[0].number != sale.number


@pytest.fixture
def files(tmp_path):
    return FileSignatures(tmp_path)


@pytest.fixture
def sent(desk, sale, files):
    return send_contract(
        actor=desk.people["finance"],
        public_id=sale.public_id,
        draw=lambda _one: b"%PDF-1.7 contract",
        service=files,
    )


def test_a_contract_is_signed_when_both_parties_signed_in_the_portal(desk, sent, files):
    key = {"public_id": sent.public_id, "service": files}

    assert sign_contract(actor=desk.buyer, **key).state == ContractState.SENT
    with pytest.raises(AlreadySigned):
        sign_contract(actor=colleague(desk.buying, Role.FINANCE), **key)
    signed = sign_contract(actor=desk.people["finance"], **key)

    assert signed.state == ContractState.SIGNED
    assert signed.signed_at is not None
    said = answers_on(signed, files)
    assert {role: one.person for role, one in said.items()} == {
        "market": str(desk.people["finance"].user),
        "buyer": str(desk.buyer.user),
    }
    assert files.document(envelope=sent.envelope) == b"%PDF-1.7 contract"
    rows = AuditEvent.objects.filter(action="contract.party_signed").order_by("pk")
    assert [row.after["role"] for row in rows] == ["buyer", "market"]


def test_a_declined_contract_is_void_and_says_why(desk, sent, files):
    key = {"actor": desk.buyer, "public_id": sent.public_id, "service": files}
    declined = decline_contract(**key, reason="wrong hours")

    assert declined.state == ContractState.VOID
    assert files.state(envelope=sent.envelope, sha256=sent.content_sha256) == "refused"
    assert AuditEvent.objects.get(action="contract.party_declined").reason == "wrong hours"
    with pytest.raises(StateForbids):
        sign_contract(actor=desk.buyer, public_id=sent.public_id, service=files)


def test_only_a_party_in_a_signing_role_signs_what_was_sent(desk, sale, sent, files):
    purchase = draw_up_contracts(actor=desk.people["finance"], allocation=sale.allocation)[1]
    key = {"public_id": sent.public_id, "service": files}

    for actor in (desk.supplier, stranger(), desk.people["operator"]):
        with pytest.raises(NotFound):
            sign_contract(actor=actor, **key)
    for actor in (colleague(desk.buying, Role.AUDITOR), desk.people["auditor"]):
        with pytest.raises(NotPermitted):
            sign_contract(actor=actor, **key)
    with pytest.raises(NotFound):
        sign_contract(actor=desk.supplier, public_id=purchase.public_id, service=files)


def test_a_provider_may_keep_signing_to_itself(desk, sent, files):
    files.takes_answers = False

    with pytest.raises(SignedElsewhere):
        sign_contract(actor=desk.buyer, public_id=sent.public_id, service=files)


def test_answers_that_make_no_sense_do_not_count(sent, files, tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    said = {"sha256": sent.content_sha256}
    for text in ("[]", "{", json.dumps(said), json.dumps({**said, "state": "waiting"})):
        (inbox / f"{sent.envelope}.json").write_text(text)
        assert files.state(envelope=sent.envelope, sha256=sent.content_sha256) == "waiting"
