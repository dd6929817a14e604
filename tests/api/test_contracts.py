"""Contracts for programs: read, signed, declined."""

import pytest

from marketplace.models import Role
from orders.models import Allocation
from settlement.services.banking.contracts import draw_up_contracts, send_contract
from tests.api.callers import program_of
from tests.web.desks import Desk, colleague

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings, tmp_path) -> Desk:
    settings.VAR_DIR = tmp_path
    return Desk()


def send_all(desk: Desk) -> None:
    finance = desk.people["finance"]
    for allocation in Allocation.objects.order_by("pk"):
        for one in draw_up_contracts(actor=finance, allocation=allocation):
            send_contract(actor=finance, public_id=one.public_id, draw=lambda _one: b"%PDF-1.7")


def test_a_contract_is_read_and_signed(desk: Desk) -> None:
    program = program_of(desk.buyer)
    assert program.get("contracts/").json()["results"] == []
    send_all(desk)

    rows = program.get("contracts/", state="sent").json()["results"]
    assert [row["side"] for row in rows] == ["sale", "sale"]
    number = rows[0]["confirmation"]
    assert len(program.get("contracts/", confirmation=number).json()["results"]) == 1
    one = program.get(f"contracts/{rows[0]['id']}/").json()
    assert (one["net_cny"], one["vat_rate"]) == ("108.00", "0.0600")
    assert (one["vat_cny"], one["gross_cny"]) == ("6.48", "114.48")

    signed = program.post(f"contracts/{one['id']}/sign/", Idempotency_Key="a-key-of-mine")
    again = program.post(f"contracts/{one['id']}/sign/", Idempotency_Key="a-key-of-mine")
    assert signed.json() == again.json()
    said = {party["role"]: party["answer"] for party in signed.json()["parties"]}
    assert said == {"market": "waiting", "buyer": "signed"}
    twice = program.post(f"contracts/{one['id']}/sign/")
    assert (twice.status_code, twice.json()["error"]["code"]) == (400, "already_signed")


def test_a_contract_is_declined_with_a_reason(desk: Desk) -> None:
    send_all(desk)
    program = program_of(desk.supplier)
    address = f"contracts/{program.get('contracts/').json()['results'][0]['id']}"

    assert program.post(f"{address}/decline/", {}).status_code == 400
    declined = program.post(f"{address}/decline/", {"reason": "Wrong hours."})

    assert declined.json()["state"] == "void"
    assert program.post(f"{address}/sign/").json()["error"]["code"] == "state_forbids"


def test_who_only_reads_may_not_sign_and_others_find_nothing(desk: Desk) -> None:
    send_all(desk)
    one = program_of(desk.buyer).get("contracts/").json()["results"][0]
    reader = program_of(colleague(desk.buying, Role.AUDITOR))

    assert reader.get(f"contracts/{one['id']}/").status_code == 200
    assert reader.post(f"contracts/{one['id']}/sign/").status_code == 403
    assert program_of(desk.supplier).get(f"contracts/{one['id']}/").status_code == 404
