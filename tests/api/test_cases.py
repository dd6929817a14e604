"""Disputes and vouchers for programs."""

import pytest

from marketplace.models import Role
from settlement.models import Dispute
from tests.api.callers import program_of
from tests.factories.cases import Settled, clerk, programme, voucher
from tests.factories.marketplace import member

pytestmark = pytest.mark.django_db


def test_a_dispute_is_opened_answered_and_withdrawn() -> None:
    settled = Settled()
    buyer = program_of(member(settled.buyer, Role.BUYER))
    seller = program_of(member(settled.seller, Role.SUPPLIER))
    body = {
        "delivery": str(settled.delivery.public_id),
        "ground": "metering",
        "claim": "Two hours\nwere missing.",
        "amount": "40.00",
    }
    assert buyer.post("disputes/", {**body, "amount": 40}).status_code == 400
    assert seller.post("disputes/", body).json()["error"]["code"] == "claim_too_large"

    opened = buyer.post("disputes/", body, Idempotency_Key="a-key-of-mine")
    again = buyer.post("disputes/", body, Idempotency_Key="a-key-of-mine")

    assert (opened.status_code, again.json()) == (201, opened.json())
    dispute = opened.json()["dispute"]
    assert (dispute["claimed_net_cny"], dispute["held_cny"]) == ("40.00", "37.97")
    address = f"disputes/{dispute['id']}/"
    assert seller.post(f"{address}messages/", {"text": "We look."}).status_code == 201
    answered = seller.post(f"{address}answer/", {"text": "They ran."})
    assert [m["is_answer"] for m in answered.json()["messages"]] == [False, True]
    assert buyer.get("disputes/", state="answered").json()["results"][0]["id"] == dispute["id"]
    assert buyer.post(f"{address}insist/").status_code == 200
    assert seller.post(f"{address}withdraw/").status_code == 404
    assert buyer.post(f"{address}withdraw/").json()["dispute"]["state"] == "withdrawn"
    assert Dispute.objects.get().state == "withdrawn"


def test_vouchers_are_listed_and_used() -> None:
    settled = Settled()
    first, second = clerk(), clerk()
    issued = voucher(
        programme(first=first, second=second), settled.buyer, "100", first=first, second=second
    )
    buyer = program_of(member(settled.buyer, Role.BUYER))
    assert buyer.get("vouchers/").json()["results"][0]["remaining_cny"] == "100.00"

    used = buyer.post(f"vouchers/{issued.public_id}/redeem/", {"bill": str(settled.bill.public_id)})

    assert used.json()["remaining_cny"] == "46.74"
    again = buyer.post(
        f"vouchers/{issued.public_id}/redeem/", {"bill": str(settled.bill.public_id)}
    )
    assert again.json()["error"]["code"] == "voucher_pays_nothing"
    stranger = program_of(member(settled.seller, Role.SUPPLIER))
    assert stranger.get("vouchers/").json()["results"] == []
