"""A member's statement counts money alone; its certificates have statements of their own."""

from datetime import date

import pytest

from settlement.models import Account
from settlement.selectors.statements import statement_accounts
from tests.factories.registry import holder, issue, registries

pytestmark = pytest.mark.django_db


def test_a_statement_lists_no_holdings_of_certificates() -> None:
    registries()
    member = holder().organisation
    issue(member, 100)

    accounts = statement_accounts(member, date(2026, 11, 1), date(2026, 11, 30))

    held = Account.objects.filter(organisation=member).exclude(asset_id="CNY")
    assert held.exists()
    assert {account.code for account in accounts}.isdisjoint(held.values_list("code", flat=True))
