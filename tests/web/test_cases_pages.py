"""Disputes, vouchers, defaults and deposits through the pages, as people do it."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from marketplace.models import Role
from settlement.models import (
    DefaultCase,
    Dispute,
    DisputeRuling,
    Invoice,
    SecurityDeposit,
    Voucher,
    VoucherProgramme,
)
from settlement.services.cases.dunning import remind_overdue
from settlement.services.cases.redemption import redeem_for_run
from tests.factories.cases import LATE, Settled
from tests.factories.marketplace import member, operator
from tests.factories.settlement import move_clock
from tests.web.desks import browser, platform_people, text_of

pytestmark = pytest.mark.django_db


def _post(client, name, *arguments, **typed):
    return client.post(reverse(name, args=arguments), {"confirmed": "yes", **typed})


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_dispute_from_the_delivery_to_the_credit_note(language):
    settled = Settled()
    buyer = browser(member(settled.buyer, Role.BUYER), language=language)
    seller = browser(member(settled.seller, Role.SUPPLIER), language=language)
    page = buyer.get(reverse("delivery", args=[settled.delivery.public_id]))
    assert reverse("dispute-new", args=[settled.delivery.public_id]) in text_of(page)

    answer = _post(
        buyer,
        "dispute-new",
        settled.delivery.public_id,
        ground="quality",
        amount="100.01",
        claim="Slow.",
    )
    assert answer.status_code == 422
    assert answer.context["form"].errors["amount"]
    _post(
        buyer, "dispute-new", settled.delivery.public_id, ground="late", amount="40", claim="Slow."
    )
    dispute = Dispute.objects.get()
    file = SimpleUploadedFile("proof.pdf", b"%PDF-1.7\n%%EOF")
    _post(buyer, "dispute-say", dispute.public_id, text="", file=file, visibility="private")
    assert "proof.pdf" not in text_of(seller.get(reverse("dispute", args=[dispute.public_id])))
    saved = buyer.get(
        reverse("dispute-evidence", args=[dispute.public_id, dispute.evidence.get().public_id])
    )
    assert saved["Content-Disposition"] == 'attachment; filename="proof.pdf"'
    _post(seller, "dispute-answer", dispute.public_id, text="Fast.")
    _post(buyer, "dispute-insist", dispute.public_id)
    first, second = browser(operator(), language=language), browser(operator(), language=language)
    _post(first, "dispute-ruling", dispute.public_id, outcome="part", amount="25", reason="Half.")
    ruling = DisputeRuling.objects.get()
    _post(second, "ruling-approve", ruling.public_id, reason="")

    page = buyer.get(reverse("dispute", args=[dispute.public_id]))
    assert "25.00" in text_of(page)
    assert Invoice.objects.filter(kind="credit_note").count() == 2
    listed = second.get(reverse("disputes"), {"state": "ruled"})
    assert [row["one"] for row in listed.context["rows"]] == [dispute]


def test_a_programme_is_entered_decided_and_used():
    settled = Settled()
    people = platform_people()
    clerk, checker = browser(people["finance"]), browser(people["second"])
    typed = {
        "code": "sh26",
        "name_zh": "上海算力券",
        "name_en": "Shanghai vouchers",
        "issuer_zh": "上海市",
        "issuer_en": "Shanghai",
        "budget": "1000",
        "share": "50",
        "member_cap": "1001",
        "valid_from": "2026-11-01",
        "valid_until": "2026-12-31",
        "regions": "上海市、ningxia",
    }
    assert _post(clerk, "voucher-programme-new", **typed).status_code == 422
    odd = {**typed, "member_cap": "400", "regions": "X"}
    unknown = _post(clerk, "voucher-programme-new", **odd)
    assert unknown.status_code == 422
    assert "There is no province X." in text_of(unknown)
    _post(clerk, "voucher-programme-new", **{**typed, "member_cap": "400"})
    programme = VoucherProgramme.objects.get()
    assert (programme.code, programme.regions) == ("SH26", ["Ningxia", "Shanghai"])
    assert _post(clerk, "voucher-programme-approve", programme.public_id).status_code == 422
    _post(checker, "voucher-programme-approve", programme.public_id)
    _post(
        clerk,
        "voucher-new",
        programme.public_id,
        organisation=settled.buyer.pk,
        amount="100",
    )
    voucher = Voucher.objects.get()
    _post(checker, "voucher-approve", voucher.public_id)
    holder = browser(member(settled.buyer, Role.FINANCE))

    _post(holder, "voucher-use", voucher.public_id, bill=settled.bill.pk)

    page = holder.get(reverse("voucher", args=[voucher.public_id]))
    assert page.context["voucher"].remaining_cny == Decimal("46.74")
    assert redeem_for_run(settled.run.pk) == 0
    assert "46.74" in text_of(holder.get(reverse("vouchers")))
    listed = checker.get(reverse("voucher-programme", args=[programme.public_id]))
    assert "53.26" in text_of(listed)
    assert "Ningxia, Shanghai" in text_of(listed)
    chinese = browser(operator(Role.FINANCE), language="zh-hans")
    assert "宁夏、上海" in text_of(
        chinese.get(reverse("voucher-programme", args=[programme.public_id]))
    )
    assert "900.00" in text_of(clerk.get(reverse("voucher-programmes")))


def test_a_default_is_proposed_and_declared():
    settled = Settled(funds="40")
    move_clock(LATE)
    remind_overdue(LATE)
    first, second = browser(operator()), browser(operator())
    assert settled.bill.number in text_of(first.get(reverse("defaults")))

    _post(first, "default-new", organisation=settled.buyer.pk, reason="Unpaid.")
    case = DefaultCase.objects.get()
    assert _post(first, "default-approve", case.public_id).status_code == 422
    _post(second, "default-approve", case.public_id)

    page = first.get(reverse("default", args=[case.public_id]))
    assert [step.source for step in page.context["steps"]] == ["loss"]
    assert "66.53" in text_of(page)


def test_a_deposit_is_lodged_and_returned():
    settled = Settled()
    people = platform_people()
    holder = browser(member(settled.buyer, Role.FINANCE))
    typed = {"amount": "50", "expires_on": "2027-06-30", "note": ""}
    assert _post(holder, "security-deposit-new", **{**typed, "amount": "0"}).status_code == 422
    _post(holder, "security-deposit-new", **typed)
    deposit = SecurityDeposit.objects.get()
    clerk = browser(people["finance"])
    _post(clerk, "security-deposit-approve", deposit.public_id)
    _post(holder, "security-deposit-ask", deposit.public_id)
    _post(clerk, "security-deposit-return", deposit.public_id)

    deposit.refresh_from_db()
    assert deposit.state == "released"
    assert "50.00" in text_of(holder.get(reverse("security-deposits")))


@pytest.mark.parametrize("name", ["disputes", "vouchers", "security-deposits"])
def test_empty_pages_say_what_to_do(name):
    settled = Settled()

    page = browser(member(settled.buyer, Role.FINANCE)).get(reverse(name))

    assert page.status_code == 200
    assert page.context["page_obj"].paginator.count == 0
