"""The books in the administration pages: the platform's people read, nobody writes."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from marketplace.models import Role
from settlement.admin import BooksAdmin
from settlement.models import DeliveryAccess, Hold, HoldEvent
from tests.factories.marketplace import member, operator
from tests.factories.settlement import funded

pytestmark = pytest.mark.django_db
PAGES = [m for m, a in admin.site._registry.items() if isinstance(a, BooksAdmin)]


def _client(*roles: Role, platform: bool = True) -> Client:
    user = (operator(*roles) if platform else member(None, *roles)).user
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("model", PAGES, ids=lambda m: m.__name__)
def test_the_platforms_finance_reads_every_list(model: type) -> None:
    funded("100")
    client = _client(Role.FINANCE)
    options = model._meta

    listed = client.get(reverse(f"admin:{options.app_label}_{options.model_name}_changelist"))

    assert listed.status_code == 200
    first = model.objects.first()
    if first is not None:
        change = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[first.pk])
        assert client.get(change).status_code == 200
        assert client.post(change, {}).status_code == 403


def test_a_member_reads_nothing() -> None:
    url = reverse("admin:settlement_journalentry_changelist")

    assert _client(Role.FINANCE, platform=False).get(url).status_code == 403


def test_what_would_tell_of_bids_or_access_has_no_page() -> None:
    assert not {Hold, HoldEvent, DeliveryAccess} & set(admin.site._registry)
