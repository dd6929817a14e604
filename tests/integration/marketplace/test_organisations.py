"""Signing up, admission, suspension, roles; and every refusal leaves nothing behind."""

from datetime import date
from typing import Any

import pytest

from marketplace.domain.errors import NotFound, NotPermitted, RuleBroken, StateForbids
from marketplace.models import AuditEvent, Membership, Organisation, OutboxEvent, Role, User
from marketplace.permissions import Actor, actor_for
from marketplace.services.checks import Missing, TextTooLong
from marketplace.services.organisations import (
    CreditCodeTaken,
    LicenceExpired,
    LicenceMissing,
    NoTradingRole,
    ReasonMissing,
    WrongCreditCode,
    approve_organisation,
    register_organisation,
    reject_organisation,
    resubmit_organisation,
    suspend_organisation,
)
from marketplace.services.users import (
    EmailTaken,
    LastHolder,
    MobileTaken,
    PasswordTooWeak,
    WrongEmail,
    grant_role,
    register_user,
    revoke_role,
)
from tests.factories.market import make_actor, make_credit_code, make_user

pytestmark = pytest.mark.usefixtures("market")

LICENCE = {"telecom_licence_kind": "增值电信业务经营许可证", "telecom_licence_number": "B1-1"}


def _register(**changes: Any) -> Organisation:
    values: dict[str, Any] = {
        "user": make_user(),
        "name_zh": "示例智算有限公司",
        "credit_code": make_credit_code(),
        "is_supplier": True,
        "is_buyer": True,
        **LICENCE,
    }
    return register_organisation(**{**values, **changes})


def test_the_founder_gets_every_role_and_the_next_code() -> None:
    user = make_user()
    organisation = _register(user=user)
    assert organisation.state == "pending"
    assert organisation.code == "M0001"
    assert organisation.tax_id == organisation.credit_code
    assert actor_for(user=user).roles == {"supplier", "buyer", "finance"}
    assert _register().code == "M0002"
    assert AuditEvent.objects.filter(action="organisation.registered").count() == 2


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"credit_code": "911101080000000000"}, WrongCreditCode, "credit_code"),
        ({"credit_code": "123"}, WrongCreditCode, "credit_code"),
        ({"credit_code": " "}, Missing, "credit_code"),
        ({"credit_code": "９１１１０１０８００００００００００"}, WrongCreditCode, "credit_code"),
        ({"name_zh": "   "}, Missing, "name_zh"),
        ({"name_zh": "长" * 121}, TextTooLong, "name_zh"),
        ({"name_en": "tab\tand\x00nul"}, RuleBroken, "name_en"),
        ({"bank_account": "1" * 41}, TextTooLong, "bank_account"),
        ({"is_supplier": False, "is_buyer": False}, NoTradingRole, "is_supplier"),
        ({"telecom_licence_number": ""}, LicenceMissing, "telecom_licence_number"),
        (
            {"telecom_licence_expires_on": date(2026, 11, 29)},
            LicenceExpired,
            "telecom_licence_expires_on",
        ),
    ],
)
def test_a_wrong_registration_leaves_nothing_behind(
    changes: dict[str, Any], refusal: type[RuleBroken], field: str
) -> None:
    with pytest.raises(refusal) as caught:
        _register(**changes)
    assert caught.value.field == field
    assert not Organisation.objects.exists()
    assert not Membership.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_credit_code_registers_once() -> None:
    first = _register()
    with pytest.raises(CreditCodeTaken):
        _register(credit_code=first.credit_code.lower())
    assert Organisation.objects.count() == 1


def test_approval_is_audited_and_announced_once(operator: Actor) -> None:
    organisation = _register()
    approve_organisation(actor=operator, organisation=organisation)
    organisation.refresh_from_db()
    assert organisation.state == "approved"
    assert organisation.decided_by == operator.user
    event = OutboxEvent.objects.get(topic="organisation.approved")
    assert event.payload == {"organisation_id": organisation.pk}
    suspend_organisation(actor=operator, organisation=organisation, reason="复核")
    approve_organisation(actor=operator, organisation=organisation)
    assert OutboxEvent.objects.filter(topic="organisation.approved").count() == 1


def test_only_the_operator_decides(seller: Actor) -> None:
    organisation = _register()
    with pytest.raises(NotPermitted):
        approve_organisation(actor=seller, organisation=organisation)
    organisation.refresh_from_db()
    assert organisation.state == "pending"


def test_decisions_follow_the_table_and_give_reasons(operator: Actor) -> None:
    organisation = _register()
    with pytest.raises(StateForbids):
        suspend_organisation(actor=operator, organisation=organisation, reason="x")
    with pytest.raises(ReasonMissing):
        reject_organisation(actor=operator, organisation=organisation, reason=" ")
    reject_organisation(actor=operator, organisation=organisation, reason="许可证不清晰")
    organisation.refresh_from_db()
    assert (organisation.state, organisation.state_reason) == ("rejected", "许可证不清晰")
    founder = Membership.objects.filter(organisation=organisation).first()
    assert founder is not None
    resubmit_organisation(actor=actor_for(user=founder.user))
    organisation.refresh_from_db()
    assert organisation.state == "pending"


def test_nobody_decides_about_the_platform(operator: Actor) -> None:
    assert operator.organisation is not None
    with pytest.raises(NotFound):
        suspend_organisation(actor=operator, organisation=operator.organisation, reason="x")


def test_a_user_signs_up_once_by_email_and_mobile() -> None:
    user = register_user(
        email="New@Example.TEST",
        password="long enough 4 all",
        display_name="新用户",
        mobile="12300009999",
    )
    assert user.email == "new@example.test"
    assert user.check_password("long enough 4 all")
    with pytest.raises(EmailTaken):
        register_user(email="new@example.test", password="long enough 4 all", display_name="b")
    with pytest.raises(MobileTaken):
        register_user(
            email="b@example.test",
            password="long enough 4 all",
            display_name="b",
            mobile="12300009999",
        )
    assert User.objects.count() == 1


def test_weak_passwords_and_wrong_addresses_are_refused() -> None:
    with pytest.raises(PasswordTooWeak) as caught:
        register_user(email="a@example.test", password="12345", display_name="a")
    assert caught.value.messages
    with pytest.raises(WrongEmail):
        register_user(email="not an address", password="long enough 4 all", display_name="a")
    assert not User.objects.exists()


def test_a_role_can_be_given_by_its_holder_only(seller: Actor) -> None:
    colleague = make_user()
    membership = grant_role(actor=seller, email=colleague.email.upper(), role=Role.SUPPLIER)
    assert membership.organisation == seller.organisation
    with pytest.raises(NotPermitted):
        grant_role(actor=seller, email=colleague.email, role=Role.FINANCE)
    with pytest.raises(NotFound):
        grant_role(actor=seller, email="nobody@example.test", role=Role.SUPPLIER)


def test_a_role_keeps_a_holder_and_foreign_memberships_are_not_found(seller: Actor) -> None:
    other = make_actor(Role.SUPPLIER)
    foreign = Membership.objects.get(user=other.user)
    own = Membership.objects.get(user=seller.user)
    with pytest.raises(NotFound):
        revoke_role(actor=seller, membership_id=foreign.pk)
    with pytest.raises(LastHolder):
        revoke_role(actor=seller, membership_id=own.pk)
    grant_role(actor=seller, email=make_user().email, role=Role.SUPPLIER)
    revoke_role(actor=seller, membership_id=own.pk)
    assert not Membership.objects.filter(pk=own.pk).exists()
