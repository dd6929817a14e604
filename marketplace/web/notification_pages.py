"""The bell: what one was told, marking it as read, and choosing by which ways to be told."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import NotFound
from marketplace.models import NotificationCopy, User
from marketplace.services.notification_texts import notification_text
from marketplace.services.notification_topics import SHOWN_TOPICS, TOPICS
from marketplace.services.notifications import (
    choices_of,
    choose_ways,
    copies_of,
    mark_all_read,
    mark_read,
    unread_count,
)
from marketplace.web.access import acting_organisation, current_actor, require_member
from marketplace.web.polling import polled, unchanged

PAGE_SIZE = 30
MOST_SHOWN = 99


def bell(request: HttpRequest) -> dict[str, Any]:
    """Return the context of templates/includes/bell.html; empty for who has no inbox."""
    actor = current_actor(request)
    if actor.organisation is None:
        return {}
    count = unread_count(user_id=actor.user.pk, organisation_id=actor.organisation.pk)
    return {
        "count": count,
        "shown": str(count) if count <= MOST_SHOWN else f"{MOST_SHOWN}+",
        "poll_url": f"{reverse('notification-count')}?seen={count}",
    }


@require_member
@require_safe
def show_count(request: HttpRequest) -> HttpResponse:
    """Answer the bell alone; 204 or 304 when the asker already shows this count."""
    context = bell(request)
    state = str(context["count"])
    answer = unchanged(request, state)
    if answer is not None:
        return answer
    return polled(render(request, "includes/bell.html", {"bell": context}), state=state)


@require_member
@require_safe
def list_notifications(request: HttpRequest) -> HttpResponse:
    """Show what the person was told in this organisation, the newest first."""
    rows = copies_of(current_actor(request))
    wanted = request.GET.get("state", "")
    if wanted == "unread":
        rows = rows.filter(read_at=None)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    own = reverse("notifications")
    context = {
        "page_obj": page,
        "lines": [describe(copy) for copy in page],
        "tabs": [
            {"label": gettext("All"), "url": own, "active": wanted != "unread"},
            {
                "label": gettext("Unread"),
                "url": f"{own}?state=unread",
                "active": wanted == "unread",
            },
        ],
    }
    return render(request, "marketplace/notifications.html", context)


def describe(copy: NotificationCopy) -> dict[str, Any]:
    """Return what a line of the list shows."""
    notification = copy.notification
    topic = TOPICS[notification.topic]
    return {
        "url": reverse("notification", args=[notification.public_id]),
        "label": gettext(topic.label),
        "text": notification_text(notification),
        "tone": topic.tone,
        "icon": topic.icon,
        "at": notification.market_at,
        "is_unread": copy.read_at is None,
    }


@require_member
@require_POST
def open_notification(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Mark one as read and lead to what it is about."""
    try:
        copy = mark_read(actor=current_actor(request), public_id=public_id)
    except NotFound:
        raise Http404 from None
    return redirect(copy.notification.path or "notifications")


@require_member
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    mark_all_read(actor=current_actor(request))
    return redirect("notifications")


@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def choose_notifications(request: HttpRequest) -> HttpResponse:
    """Choose by which ways each topic comes."""
    organisation = acting_organisation(request)
    user = cast(User, current_actor(request).user)
    if request.method == "POST":
        choose_ways(
            user=user,
            in_portal=set(request.POST.getlist("in_portal")),
            by_email=set(request.POST.getlist("by_email")),
        )
        messages.success(request, gettext("Your choice is saved."))
        return redirect("notification-settings")
    context = {
        "rows": [
            {
                "code": choice.topic.code,
                "label": gettext(choice.topic.label),
                "in_portal": choice.in_portal,
                "by_email": choice.by_email,
            }
            for choice in choices_of(user, organisation)
        ],
        "topic_count": len(SHOWN_TOPICS),
        "email": user.email,
    }
    return render(request, "marketplace/notification_settings.html", context)
