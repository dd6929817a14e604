"""Who may open which page of disputes, vouchers, defaults and security deposits."""

from decimal import Decimal

import pytest
from django.urls import reverse

from marketplace.models import Role
from settlement.models import DisputeRuling
from settlement.services.cases.defaults import propose_default
from settlement.services.cases.deposits import enter_deposit
from settlement.services.cases.dispute_records import add_evidence
from settlement.services.cases.disputes import answer_dispute, insist_on_dispute, open_dispute
from settlement.services.cases.dunning import remind_overdue
from settlement.services.cases.rulings import propose_ruling
from settlement.web.cases import urls
from tests.factories.cases import LATE, TODAY, Settled, clerk, programme, voucher
from tests.factories.marketplace import member, operator
from tests.factories.settlement import move_clock
from tests.web.desks import browser, platform_people, stranger

WHO = ("visitor", "stranger", "buyer", "supplier", "reader", "operator", "finance", "auditor")
ALL = "302 200 200 200 200 200 200 200"
CASE = "302 404 200 200 200 200 200 200"
DESK = "302 403 403 403 403 200 200 200"
KEEPERS = "302 403 403 403 403 200 200 403"
OPERATOR = "302 403 403 403 403 200 403 403"
HOLDER = "302 404 200 404 200 403 403 403"

TABLE = {
    "disputes": ALL,
    "dispute-new": "302 404 200 200 200 404 404 404",
    "dispute": CASE,
    "dispute-answer": CASE,
    "dispute-say": CASE,
    "dispute-insist": CASE,
    "dispute-withdraw": CASE,
    "dispute-evidence": "302 404 200 404 200 200 200 200",
    "dispute-ruling": OPERATOR,
    "ruling-approve": OPERATOR,
    "ruling-reject": OPERATOR,
    "vouchers": "302 200 200 200 200 403 403 403",
    "voucher": HOLDER,
    "voucher-use": "302 404 200 404 403 403 403 403",
    "voucher-programmes": DESK,
    "voucher-programme": DESK,
    "voucher-programme-new": KEEPERS,
    "voucher-programme-approve": KEEPERS,
    "voucher-programme-reject": KEEPERS,
    "voucher-programme-end": KEEPERS,
    "voucher-new": KEEPERS,
    "voucher-approve": KEEPERS,
    "voucher-reject": KEEPERS,
    "voucher-recall": KEEPERS,
    "defaults": DESK,
    "default": DESK,
    "default-new": OPERATOR,
    "default-approve": OPERATOR,
    "default-reject": OPERATOR,
    "default-continue": OPERATOR,
    "security-deposits": ALL,
    "security-deposit-new": "302 200 200 200 200 404 404 404",
    "security-deposit-ask": "302 404 200 404 200 200 200 200",
    "security-deposit-approve": "302 403 403 403 403 403 200 403",
    "security-deposit-reject": "302 403 403 403 403 403 200 403",
    "security-deposit-return": "302 403 403 403 403 403 200 403",
    "security-deposit-keep": "302 403 403 403 403 403 200 403",
}
PLAIN = ("voucher-programme-new", "default-new", "security-deposit-new")


def test_every_page_is_in_the_table():
    assert {pattern.name for pattern in urls.urlpatterns} == set(TABLE)


def _arguments(settled: Settled) -> dict[str, list[object]]:
    """One of everything, all of them the buyer's; the evidence is private to the buyer."""
    first, second = clerk(), clerk()
    buyer = member(settled.buyer, Role.BUYER, Role.FINANCE)
    dispute = open_dispute(
        actor=buyer,
        delivery_public_id=settled.delivery.public_id,
        ground="quality",
        claim="Slow.",
        claimed_net_cny=Decimal(40),
    )
    evidence = add_evidence(
        actor=buyer,
        public_id=dispute.public_id,
        name="a.pdf",
        data=b"%PDF-1.7\n%%EOF",
        visibility="private",
    )
    answer_dispute(
        actor=member(settled.seller, Role.SUPPLIER), public_id=dispute.public_id, text="Fast."
    )
    insist_on_dispute(actor=buyer, public_id=dispute.public_id)
    ruling = propose_ruling(
        actor=operator(), public_id=dispute.public_id, outcome="rejected", reason="No proof."
    )
    of = programme(first=first, second=second)
    issued = voucher(of, settled.buyer, "100", first=first, second=second)
    deposit = enter_deposit(
        actor=first,
        organisation=settled.buyer,
        amount_cny=Decimal(1),
        expires_on=TODAY.replace(year=2027),
    )
    move_clock(LATE)
    remind_overdue(LATE)
    case = propose_default(actor=operator(), organisation=settled.buyer, reason="Unpaid.")
    assert isinstance(ruling, DisputeRuling)
    found: dict[str, list[object]] = {
        "dispute-new": [settled.delivery.public_id],
        "dispute-evidence": [dispute.public_id, evidence.public_id],
    }
    for name in TABLE:
        prefixes = {
            "dispute": dispute,
            "ruling": ruling,
            "voucher-programme": of,
            "voucher-new": of,
            "voucher": issued,
            "default": case,
            "security-deposit": deposit,
        }
        fits = (p for p in prefixes if name == p or name.startswith(f"{p}-"))
        match = None if name == "voucher-programmes" else next(fits, None)
        if match and name not in found and name not in PLAIN:
            found[name] = [prefixes[match].public_id]
    return found


@pytest.mark.django_db
def test_pages_let_in_whom_they_should():
    settled = Settled(funds="40")
    arguments = _arguments(settled)
    platform = platform_people()
    people = {
        "visitor": None,
        "stranger": stranger(),
        "buyer": member(settled.buyer, Role.BUYER, Role.FINANCE),
        "supplier": member(settled.seller, Role.SUPPLIER, Role.FINANCE),
        "reader": member(settled.buyer, Role.AUDITOR),
        **{name: platform[name] for name in ("operator", "finance", "auditor")},
    }
    wrong = []
    for who in WHO:
        client = browser(people[who])
        for name, row in TABLE.items():
            expected = row.split()[WHO.index(who)]
            got = str(client.get(reverse(name, args=arguments.get(name, []))).status_code)
            if got != expected:
                wrong.append(f"{who} on {name}: {got}, expected {expected}")

    assert not wrong, "\n".join(wrong)
