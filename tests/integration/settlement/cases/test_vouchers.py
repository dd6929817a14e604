"""Compute vouchers: budget, cap and eligibility, use after the bill, credit notes, ends."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from marketplace.domain.errors import NotPermitted, StateForbids
from marketplace.models import Role
from marketplace.permissions import Actor
from settlement.models import Posting, Voucher, VoucherMove, VoucherState
from settlement.services.accounts import account_for, voucher_account
from settlement.services.cases.redemption import (
    VoucherPaysNothing,
    redeem_for_run,
    redeem_voucher,
)
from settlement.services.cases.vouchers import (
    VoucherBudgetSpent,
    VoucherCapReached,
    VoucherNotEligible,
    enter_voucher,
    expire_vouchers,
    recall_voucher,
)
from settlement.services.funds_requests import SamePerson
from settlement.services.inbox import consume_pending
from tests.factories.cases import Settled, assert_ledger_clean, clerk, programme, voucher
from tests.factories.marketplace import member
from tests.factories.settlement import funded

pytestmark = pytest.mark.django_db


@pytest.fixture
def first() -> Actor:
    return clerk()


@pytest.fixture
def second() -> Actor:
    return clerk()


def _moves(of: Voucher) -> list[tuple[str, Decimal]]:
    return list(of.moves.order_by("pk").values_list("kind", "amount_cny"))


def test_a_voucher_pays_half_a_bill_and_the_issuer_owes_it(first: Actor, second: Actor) -> None:
    settled = Settled()
    issued = voucher(
        programme(first=first, second=second), settled.buyer, "400", first=first, second=second
    )
    before = settled.available()

    consume_pending()

    # Half of 106.53, rounded down to the fen.
    assert settled.available() - before == Decimal("53.26")
    issued.refresh_from_db()
    assert (issued.remaining_cny, issued.state) == (Decimal("346.74"), "active")
    entry = issued.moves.get(kind="redeem").entry
    lines = Posting.objects.filter(entry=entry).order_by("line").values_list("account", "amount")
    assert list(lines) == [
        (voucher_account("SH26").pk, Decimal("53.26")),
        (account_for("member_funds", organisation=settled.buyer).pk, Decimal("-53.26")),
    ]
    issued.programme.refresh_from_db()
    assert (issued.programme.committed_cny, issued.programme.redeemed_cny) == (
        400,
        Decimal("53.26"),
    )
    assert_ledger_clean()


def test_a_run_is_redeemed_once(first: Actor, second: Actor) -> None:
    settled = Settled()
    voucher(programme(first=first, second=second), settled.buyer, "400", first=first, second=second)

    assert redeem_for_run(settled.run.pk) == Decimal("53.26")
    assert redeem_for_run(settled.run.pk) == 0
    assert VoucherMove.objects.filter(kind="redeem").count() == 1


def test_two_vouchers_together_keep_to_the_share(first: Actor, second: Actor) -> None:
    settled = Settled()
    of = programme(first=first, second=second)
    small = voucher(of, settled.buyer, "30", first=first, second=second)
    large = voucher(of, settled.buyer, "100", first=first, second=second)

    redeem_for_run(settled.run.pk)

    small.refresh_from_db()
    large.refresh_from_db()
    assert (small.state, small.remaining_cny) == ("used_up", 0)
    assert large.remaining_cny == Decimal("76.74")


@pytest.mark.parametrize(
    "changes",
    [
        {"regions": ("Beijing",)},
        {"resource_classes": ("HP",)},
        {"valid_from": date(2026, 12, 1)},
    ],
)
def test_what_a_programme_does_not_support_is_not_paid(
    first: Actor, second: Actor, changes: dict[str, object]
) -> None:
    settled = Settled()
    of = programme(first=first, second=second, **changes)
    issued = voucher(of, settled.buyer, "100", first=first, second=second)

    assert redeem_for_run(settled.run.pk) == 0
    with pytest.raises(VoucherPaysNothing):
        redeem_voucher(
            actor=member(settled.buyer, Role.FINANCE),
            public_id=issued.public_id,
            bill_public_id=settled.bill.public_id,
        )


def test_a_region_that_fits_is_paid(first: Actor, second: Actor) -> None:
    settled = Settled()
    of = programme(first=first, second=second, regions=("Shanghai",))
    voucher(of, settled.buyer, "100", first=first, second=second)

    assert redeem_for_run(settled.run.pk) == Decimal("53.26")


def test_a_bill_beyond_the_funds_is_collected_from_the_voucher(first: Actor, second: Actor) -> None:
    settled = Settled(funds="60")
    assert settled.bill.state == "issued"
    voucher(programme(first=first, second=second), settled.buyer, "100", first=first, second=second)

    consume_pending()

    assert settled.bill.state == "paid"
    assert settled.available() == Decimal("6.73")
    assert_ledger_clean()


def test_the_budget_and_the_cap_are_kept(first: Actor, second: Actor) -> None:
    of = programme(first=first, second=second, budget_cny=Decimal(500))
    one, two = funded(), funded()
    voucher(of, one, "400", first=first, second=second)

    with pytest.raises(VoucherCapReached):
        voucher(of, one, "0.01", first=first, second=second)
    with pytest.raises(VoucherBudgetSpent):
        voucher(of, two, "100.01", first=first, second=second)
    voucher(of, two, "100", first=first, second=second)


def test_nobody_issues_alone(first: Actor, second: Actor) -> None:
    of = programme(first=first, second=second)

    with pytest.raises(SamePerson):
        voucher(of, funded(), "10", first=first, second=first)


def test_a_member_outside_the_list_gets_none(first: Actor, second: Actor) -> None:
    inside, outside = funded(), funded()
    of = programme(first=first, second=second, member_codes=(inside.code,))
    voucher(of, inside, "10", first=first, second=second)

    with pytest.raises(VoucherNotEligible):
        voucher(of, outside, "10", first=first, second=second)


def test_a_buyer_enters_no_voucher(first: Actor, second: Actor) -> None:
    of = programme(first=first, second=second)
    organisation = funded()

    with pytest.raises(NotPermitted):
        enter_voucher(
            actor=replace(first, organisation=organisation, roles=frozenset({"finance"})),
            programme_public_id=of.public_id,
            organisation=organisation,
            face_cny=Decimal(10),
        )


def test_an_ended_voucher_frees_its_budget(first: Actor, second: Actor) -> None:
    settled = Settled()
    of = programme(first=first, second=second)
    issued = voucher(of, settled.buyer, "400", first=first, second=second)
    other = voucher(of, funded(), "100", first=first, second=second)
    redeem_for_run(settled.run.pk)

    assert expire_vouchers(datetime(2026, 12, 31, tzinfo=UTC)) == 0
    recall_voucher(actor=first, public_id=other.public_id, reason="moved away")
    assert expire_vouchers(datetime(2027, 1, 1, tzinfo=UTC)) == 1

    issued.refresh_from_db()
    of.refresh_from_db()
    assert (issued.state, issued.remaining_cny) == (VoucherState.EXPIRED, 0)
    assert of.committed_cny == of.redeemed_cny == Decimal("53.26")
    assert _moves(issued) == [
        ("issue", 400),
        ("redeem", Decimal("53.26")),
        ("expire", Decimal("346.74")),
    ]
    with pytest.raises(StateForbids):
        recall_voucher(actor=first, public_id=issued.public_id, reason="again")
