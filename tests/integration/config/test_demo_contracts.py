"""The demonstration's contracts: one of each buyer signed, the next one waiting."""

import pytest

from config.demo.cast import gather_cast
from config.demo.contracts import play_contracts
from marketplace.models import Role
from settlement.models import Contract
from tests.factories.recognition_month import Quiet
from tests.web.desks import Desk, colleague

pytestmark = pytest.mark.django_db


def test_buyers_sign_one_contract_and_leave_one(settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path
    desk = Desk()
    for member, role in ((desk.buying, Role.BUYER), (desk.selling, Role.SUPPLIER)):
        member.is_demo_bot = True
        member.save()
        colleague(member, role)

    lines = play_contracts(gather_cast(), Quiet())

    assert lines == ["合同 contracts: 1 份已签署 signed, 2 份待签署 waiting"]
    states = Contract.objects.order_by("pk").values_list("side", "state")
    assert list(states) == [
        ("sale", "signed"),
        ("purchase", "sent"),
        ("sale", "sent"),
        ("purchase", "draft"),
    ]
    assert play_contracts(gather_cast(), Quiet()) == []
