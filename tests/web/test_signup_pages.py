"""Signing up, waiting, and the operator's decision."""

import pytest
from django.urls import reverse

from marketplace.domain.credit_code import complete_credit_code
from marketplace.models import Membership, Organisation, OrganisationState, Role, User
from tests.factories.marketplace import OrganisationFactory, member
from tests.web.desks import browser, platform_people, text_of

pytestmark = pytest.mark.django_db
CODE = complete_credit_code("91320500123456780")
WRONG_CHECK = CODE[:-1] + ("1" if CODE[-1] != "1" else "2")


def application(**changes: str) -> dict[str, str]:
    """Return a filled application of a buyer."""
    return {
        "display_name": "赵新",
        "email": "zhao@new.example",
        "mobile": "",
        "password": "a long pass phrase",
        "password_again": "a long pass phrase",
        "name_zh": "苏州示例智能科技有限公司",
        "credit_code": CODE,
        "is_buyer": "on",
        **changes,
    }


def test_application_signs_in_and_shows_what_happens_next():
    client = browser()

    answer = client.post(reverse("sign-up"), application(), follow=True)

    organisation = Organisation.objects.get(credit_code=CODE)
    assert answer.redirect_chain == [(reverse("sign-up-status"), 302)]
    assert organisation.state == OrganisationState.PENDING
    assert "Application sent" in text_of(answer)
    assert set(Membership.objects.values_list("role", flat=True)) == {"buyer", "finance"}


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"credit_code": WRONG_CHECK}, "credit_code", "校验位"),
        ({"credit_code": "123"}, "credit_code", "18"),
        ({"is_buyer": ""}, "is_buyer", "请选择"),
        ({"is_supplier": "on"}, "telecom_licence_number", "供方"),
        ({"password_again": "something else"}, "password_again", "两次输入的密码不一致。"),
        ({"password": "1234567890", "password_again": "1234567890"}, "password", ""),
        ({"email": "nobody"}, "email", ""),
    ],
)
def test_wrong_application_says_what_is_wrong_in_chinese_and_keeps_the_rest(
    changes, field, message
):
    answer = browser(language="zh-hans").post(reverse("sign-up"), application(**changes))

    errors = answer.context["form"].errors
    assert answer.status_code == 422
    assert list(errors)[:1] == [field] or field in errors
    assert message in " ".join(errors[field])
    assert "苏州示例智能科技有限公司" in text_of(answer)
    assert not User.objects.exists()


def test_taken_credit_code_is_refused_beside_the_field():
    OrganisationFactory(credit_code=CODE)

    answer = browser().post(reverse("sign-up"), application())

    assert answer.status_code == 422
    assert answer.context["form"].errors["credit_code"]
    assert not User.objects.filter(email="zhao@new.example").exists()


def test_member_adds_a_second_organisation_without_a_second_account():
    known = member(OrganisationFactory(), Role.BUYER)
    data = {k: v for k, v in application().items() if k not in ("email", "password")}

    browser(known).post(reverse("sign-up"), data)

    assert User.objects.count() == 1
    assert Membership.objects.filter(user=known.user).count() == 3


def test_refusal_needs_a_reason_and_reaches_the_applicant():
    people = platform_people()
    applicant = member(OrganisationFactory(state=OrganisationState.PENDING), Role.BUYER)
    public_id = applicant.organisation.public_id
    operator = browser(people["operator"])
    url = reverse("admission-reject", args=[public_id])

    without = operator.post(url, {"reason": ""})
    operator.post(url, {"reason": "许可证编号与名称不符"})

    assert without.status_code == 422
    assert "许可证编号与名称不符" in text_of(browser(applicant).get(reverse("sign-up-status")))
    assert text_of(browser(applicant).post(reverse("sign-up-again"), follow=True))
    applicant.organisation.refresh_from_db()
    assert applicant.organisation.state == OrganisationState.PENDING


def test_admission_opens_the_market_to_the_member():
    people = platform_people()
    applicant = member(OrganisationFactory(state=OrganisationState.PENDING), Role.BUYER)
    url = reverse("admission-approve", args=[applicant.organisation.public_id])

    question = browser(people["operator"], language="zh-hans").get(url)
    browser(people["operator"]).post(url, {"reason": ""})

    applicant.organisation.refresh_from_db()
    assert applicant.organisation.credit_code in text_of(question)
    assert applicant.organisation.state == OrganisationState.APPROVED
    assert browser(applicant).get(reverse("dashboard")).status_code == 200


def test_register_is_filtered_and_exported():
    people = platform_people()
    OrganisationFactory(name_zh="等待公司", state=OrganisationState.PENDING)
    OrganisationFactory(name_zh="成员公司")

    answer = browser(people["operator"]).get(reverse("admissions-csv"), {"state": "pending"})

    body = answer.content.decode("utf-8-sig")
    assert "等待公司" in body
    assert "成员公司" not in body
