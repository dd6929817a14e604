"""The administration pages show no sealed order, and change calendars with a trail."""

import pytest
from django.contrib.admin.sites import site
from django.test import RequestFactory
from django.urls import reverse

from marketplace.models import AuditEvent
from orders.models import Order
from tests.factories.marketplace import UserFactory
from tests.factories.orders import CalendarFactory, bid, closed, open_auction_now, stop_clock
from tests.factories.trading import buyer, two_hub_market

pytestmark = pytest.mark.django_db


def test_orders_appear_once_the_gate_is_closed(client: object) -> None:
    stop_clock()
    market = two_hub_market()
    auction = open_auction_now()
    order = bid(buyer(), auction, market.product, market.city)
    superuser = UserFactory(is_staff=True, is_superuser=True)
    request = RequestFactory().get("/")
    request.user = superuser
    shown = site.get_model_admin(Order).get_queryset(request)

    assert not shown.filter(pk=order.pk).exists()

    closed(auction)
    assert shown.all().filter(pk=order.pk).exists()


def test_nobody_writes_orders_or_auctions_here() -> None:
    request = RequestFactory().get("/")
    request.user = UserFactory(is_staff=True, is_superuser=True)
    for model, model_admin in site._registry.items():
        if model._meta.label in ("orders.Order", "orders.Auction", "orders.ClearingRun"):
            assert not model_admin.has_add_permission(request)
            assert not model_admin.has_change_permission(request)
            assert not model_admin.has_delete_permission(request)


def test_a_changed_calendar_leaves_a_trail(client: object) -> None:
    calendar = CalendarFactory(code="DA")
    user = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(  # type: ignore[attr-defined]
        user, backend="django.contrib.auth.backends.ModelBackend"
    )
    fields = (
        *("code", "kind", "name_zh", "name_en", "period_minutes", "cadence_minutes"),
        *("horizon_minutes", "gate_opens_lead_minutes", "gate_closes_lead_minutes"),
        "indicative_minutes",
    )
    form = {name: getattr(calendar, name) for name in fields}
    form.update(no_cancel_minutes=45, is_active="on")

    url = reverse("admin:orders_auctioncalendar_change", args=[calendar.pk])
    answer = client.post(url, form)  # type: ignore[attr-defined]

    assert answer.status_code == 302
    event = AuditEvent.objects.get(action="calendar.changed")
    assert (event.actor, event.before, event.after) == (
        user,
        {"no_cancel_minutes": "30"},
        {"no_cancel_minutes": "45"},
    )
