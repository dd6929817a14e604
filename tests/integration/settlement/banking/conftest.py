"""A settled market with its books at the bank."""

import pytest

from tests.factories.banking import bank_account
from tests.web.desks import Desk


@pytest.fixture
def desk(db):
    made = Desk()
    made.selling.bank_name = "示例银行银川分行"
    made.selling.bank_account = "6222000000009999"
    made.selling.save()
    bank_account(made.people["finance"])
    return made
