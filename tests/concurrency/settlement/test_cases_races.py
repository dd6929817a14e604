"""Races for a voucher budget, for one bill, for one decision, and for a hold."""

from decimal import Decimal

import pytest

from marketplace.domain.errors import RuleBroken
from marketplace.permissions import Actor
from orders.ports.collateral import HoldChange, InsufficientCollateral
from settlement.models import Hold, Voucher, VoucherMove, VoucherProgramme
from settlement.selectors.balances import funds_of
from settlement.services.cases.redemption import redeem_for_run
from settlement.services.cases.vouchers import decide_voucher, enter_voucher
from settlement.services.collateral import LedgerCollateral, reduce_holds
from tests.concurrency.settlement.threads import run_at_once
from tests.factories.cases import Settled, assert_ledger_clean, clerk, programme, voucher
from tests.factories.settlement import Market, funded

pytestmark = pytest.mark.runtime_role


def _decide(actor: Actor, issued: Voucher) -> object:
    try:
        return decide_voucher(actor=actor, public_id=issued.public_id, approve=True)
    except RuleBroken as refusal:
        return refusal.code


def test_twelve_vouchers_on_a_budget_for_seven() -> None:
    Market()
    first, second = clerk(), clerk()
    of = programme(first=first, second=second, budget_cny=Decimal(700), member_cap_cny=Decimal(100))
    entered = [
        enter_voucher(
            actor=first,
            programme_public_id=of.public_id,
            organisation=funded(),
            face_cny=Decimal(100),
        )
        for _ in range(12)
    ]

    results = run_at_once(lambda number: _decide(second, entered[number]), 12, workers=6)

    assert results.count("voucher_budget_spent") == 5
    of = VoucherProgramme.objects.get()
    assert (of.committed_cny, of.budget_cny) == (700, 700)
    assert Voucher.objects.filter(state="active").count() == 7
    assert_ledger_clean()


def test_a_run_is_redeemed_once_by_many() -> None:
    settled = Settled()
    first, second = clerk(), clerk()
    of = programme(first=first, second=second)
    voucher(of, settled.buyer, "30", first=first, second=second)
    voucher(of, settled.buyer, "100", first=first, second=second)

    run_at_once(lambda _number: redeem_for_run(settled.run.pk), 6, workers=6)

    assert VoucherMove.objects.filter(kind="redeem").count() == 2
    assert VoucherProgramme.objects.get().redeemed_cny == Decimal("53.26")
    assert_ledger_clean()


def test_a_hundred_orders_on_money_for_seven() -> None:
    """S-12: exactly seven are held, the others refused for funds, and nothing falls below zero."""
    Market()
    member = funded("70")

    def place(number: int) -> object:
        LedgerCollateral().place_hold(
            organisation_id=member.pk,
            amount_cny=Decimal(10),
            source_type="order",
            source_id=str(number),
        )
        return funds_of(member).available_cny

    results = run_at_once(place, 100)

    refused = [each for each in results if isinstance(each, InsufficientCollateral)]
    assert len(refused) == 93
    assert all(each >= 0 for each in results if isinstance(each, Decimal))
    assert funds_of(member).available_cny == 0
    assert_ledger_clean()


def test_a_hold_ends_once_whoever_comes_first() -> None:
    """S-13: captured, released and expired at once; one of them takes it, I-06 holds."""
    Market()
    member = funded("100")
    reference = LedgerCollateral().place_hold(
        organisation_id=member.pk, amount_cny=Decimal(60), source_type="order", source_id="1"
    )

    def end(number: int) -> object:
        kind = ("release", "expire")[number % 2]
        change = HoldChange(reference=reference, keep_cny=Decimal(0), event_key=f"{kind}:{number}")
        try:
            return reduce_holds([change], kind=kind)
        except RuleBroken as refusal:
            return refusal.code

    results = run_at_once(end, 8, workers=8)

    assert sum(1 for each in results if each == 1) == 1
    hold = Hold.objects.get(reference=reference)
    assert hold.remaining == 0
    assert hold.events.exclude(kind="place").count() == 1
    assert funds_of(member).available_cny == 100
    assert_ledger_clean()
