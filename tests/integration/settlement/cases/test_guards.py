"""What the database refuses of cases, with real commits as the role that serves."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection

from settlement.services.cases.disputes import open_dispute
from tests.factories.cases import Settled, clerk, programme, voucher
from tests.factories.marketplace import member

pytestmark = pytest.mark.runtime_role

REFUSED = (
    "UPDATE settlement_disputetransition SET to_state = 'ruled'",
    "DELETE FROM settlement_vouchermove",
    "UPDATE settlement_vouchermove SET amount_cny = 1",
    "DELETE FROM settlement_dispute",
    "UPDATE settlement_dispute SET held_cny = 0",
    "UPDATE settlement_dispute SET state = 'expired'",
    "UPDATE settlement_voucher SET remaining_cny = 101",
    "UPDATE settlement_voucher SET remaining_cny = 'NaN'",
    "UPDATE settlement_voucher SET face_cny = 1000",
    "UPDATE settlement_voucher SET state = 'entered'",
    "UPDATE settlement_voucher SET state = 'used_up'",
    "UPDATE settlement_voucherprogramme SET committed_cny = 1000.01",
    "UPDATE settlement_voucherprogramme SET committed_cny = 'NaN'",
    "UPDATE settlement_voucherprogramme SET redeemed_cny = 100.01",
    "UPDATE settlement_voucherprogramme SET budget_cny = 999999",
    "UPDATE settlement_voucherprogramme SET decided_by_id = entered_by_id",
)


def test_history_budgets_and_states_hold() -> None:
    settled = Settled()
    first, second = clerk(), clerk()
    voucher(programme(first=first, second=second), settled.buyer, "100", first=first, second=second)
    open_dispute(
        actor=member(settled.buyer, "buyer"),
        delivery_public_id=settled.delivery.public_id,
        ground="quality",
        claim="Slow.",
        claimed_net_cny=Decimal(40),
    )
    allowed = []
    for statement in REFUSED:
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        except DatabaseError:
            continue
        allowed.append(statement)

    assert allowed == []
