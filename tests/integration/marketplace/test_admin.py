"""The administration pages: for people who run the market, audited, without sealed data."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from marketplace.models import AuditEvent, Hub, MarketRules, Membership, Product, Role, User
from marketplace.permissions import Actor
from tests.factories.market import make_listing, make_pool

pytestmark = pytest.mark.usefixtures("market")

MARKETPLACE = [model for model in admin.site._registry if model._meta.app_label == "marketplace"]


def _page(model: type, view: str = "changelist", *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


@pytest.fixture
def staff(operator: Actor, client: Client) -> Client:
    User.objects.filter(pk=operator.user.pk).update(is_staff=True)
    client.force_login(operator.user)
    return client


@pytest.mark.parametrize("model", MARKETPLACE, ids=lambda model: model.__name__)
def test_operators_see_every_list_but_users(staff: Client, model: type) -> None:
    make_status = staff.get(_page(model)).status_code
    assert make_status == (403 if model is User else 200)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_forms_open_in_both_languages(staff: Client, language: str) -> None:
    hub = Hub.objects.get(code="NX-ZW")
    headers = {"accept-language": language}
    assert staff.get(_page(Hub, "change", hub.pk), headers=headers).status_code == 200
    assert staff.get(_page(MarketRules, "add"), headers=headers).status_code == 403  # two people


@pytest.mark.parametrize("model", MARKETPLACE, ids=lambda model: model.__name__)
def test_staff_who_do_not_run_the_market_see_nothing(
    seller: Actor, client: Client, model: type
) -> None:
    User.objects.filter(pk=seller.user.pk).update(is_staff=True)
    client.force_login(seller.user)
    assert client.get(_page(model)).status_code == 403


def test_operators_who_lost_the_role_lose_the_pages(staff: Client, operator: Actor) -> None:
    Membership.objects.filter(user=operator.user, role=Role.OPERATOR).delete()
    assert staff.get(_page(Hub)).status_code == 403


def test_superusers_keep_users_and_no_password_reaches_the_trail(client: Client) -> None:
    root = User.objects.create_superuser("root@example.test", "a long password", display_name="r")
    client.force_login(root)
    answer = client.post(
        _page(User, "add"),
        {
            "email": "staff@example.test",
            "display_name": "新员工",
            "usable_password": "true",
            "password1": "an even longer password",
            "password2": "an even longer password",
        },
    )
    assert answer.status_code == 302
    assert User.objects.get(email="staff@example.test").check_password("an even longer password")
    event = AuditEvent.objects.get(action="user.added")
    assert "password" not in str(event.after).lower()


def test_a_change_is_audited_with_before_and_after(staff: Client, operator: Actor) -> None:
    hub = Hub.objects.get(code="BJ")
    form = staff.get(_page(Hub, "change", hub.pk)).context["adminform"].form
    values = {
        name: value for name, value in form.initial.items() if value is not None and name != "id"
    }
    answer = staff.post(_page(Hub, "change", hub.pk), {**values, "name_en": "Peking"})
    assert answer.status_code == 302
    event = AuditEvent.objects.get(action="hub.changed")
    assert (event.before, event.after) == ({"name_en": "Beijing"}, {"name_en": "Peking"})
    assert event.actor == operator.user
    assert event.organisation == operator.organisation


def test_rules_in_force_products_ticks_and_rows_in_use_are_not_rewritten(staff: Client) -> None:
    rules = MarketRules.objects.get()
    page = staff.get(_page(MarketRules, "change", rules.pk))
    assert page.status_code == 200
    assert not page.context["has_change_permission"]
    product = Product.objects.get(code="AI-910B")
    form = staff.get(_page(Product, "change", product.pk)).context["adminform"].form
    assert "price_tick" not in form.fields
    for model, row in ((Product, product), (MarketRules, rules)):
        assert staff.post(_page(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_no_page_shows_what_a_member_asks(staff: Client, seller: Actor) -> None:
    make_listing(actor=seller, pool=make_pool(actor=seller), steps=[("64", "7.77")])
    for model in MARKETPLACE:
        if model is not User:
            assert b"7.77" not in staff.get(_page(model)).content
    event = AuditEvent.objects.get(action="listing.created")
    answer = staff.get(_page(AuditEvent, "change", event.pk))
    assert answer.status_code == 302
    registered = {model.__name__ for model in MARKETPLACE}
    assert not registered & {"Listing", "ListingPriceStep"}
