"""What the caller was told, and the organisation's webhooks with the log of what was sent."""

from typing import Any, cast
from uuid import UUID

from django.db.models import F
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import ConfirmationMissing, MemberView
from marketplace.api.fields import ChoiceField, InstantField, TextField, YesNoField
from marketplace.api.pagination import PageQuery, page_of
from marketplace.api.serializers import StrictSerializer, checked_body
from marketplace.models import ApiToken, Notification, Role, WebhookDelivery
from marketplace.permissions import Actor
from marketplace.services.notification_texts import notification_text
from marketplace.services.notification_topics import SHOWN_TOPICS
from marketplace.services.notifications import copies_of, mark_all_read
from marketplace.services.proofs import is_fresh
from marketplace.services.webhooks import (
    add_webhook,
    change_webhook,
    find_webhook,
    redeliver,
    send_test,
    webhooks_of,
)

TAG = ["notifications"]
TOPIC_CODES = tuple(topic.code for topic in SHOWN_TOPICS)


def keeps_webhooks(actor: Actor) -> bool:
    """Tell whether the actor may see and keep the organisation's webhooks."""
    return (
        actor.organisation is not None
        and not actor.organisation.is_platform
        and actor.has(Role.BUYER, Role.SUPPLIER, Role.FINANCE)
    )


class NotificationOutput(serializers.Serializer):
    """One thing the caller was told."""

    id = serializers.UUIDField(source="public_id")
    topic = serializers.CharField()
    text = serializers.SerializerMethodField()
    params = serializers.JSONField()
    path = serializers.CharField()
    market_at = InstantField()
    is_read = serializers.SerializerMethodField()

    def get_text(self, row: Notification) -> str:
        """Return the sentence in the caller's language."""
        return notification_text(row)

    def get_is_read(self, row: Notification) -> bool:
        """Tell whether the person has read it."""
        return cast(Any, row).read_at is not None


class NotificationPage(serializers.Serializer):
    """A page of notifications."""

    results = NotificationOutput(many=True)
    next = serializers.URLField(allow_null=True)


class NotificationsView(MemberView):
    """What the caller was told in the organisation."""

    @extend_schema(
        operation_id="notifications_list",
        tags=TAG,
        parameters=[PageQuery],
        responses=NotificationPage,
    )
    def get(self, request: Request) -> Response:
        """List what the person was told, the newest first."""
        query = PageQuery.read(request)
        copies = copies_of(self.actor)
        rows = Notification.objects.filter(copies__in=copies).annotate(read_at=F("copies__read_at"))
        return page_of(rows, request, NotificationOutput, **query)


class ReadOutput(serializers.Serializer):
    """How many were unread."""

    read = serializers.IntegerField()


class NotificationsRead(MemberView):
    """Marking everything as read."""

    write_scope = "read"

    @extend_schema(operation_id="notifications_read", tags=TAG, request=None, responses=ReadOutput)
    def post(self, request: Request) -> Response:
        """Mark everything in the organisation as read."""
        return Response({"read": mark_all_read(actor=self.actor)})


class WebhookInput(StrictSerializer):
    """A webhook wanted."""

    url = TextField(max_length=500)
    topics = serializers.ListField(child=ChoiceField(choices=TOPIC_CODES), min_length=1)


class WebhookChanges(StrictSerializer):
    """What may change of a webhook."""

    topics = serializers.ListField(
        child=ChoiceField(choices=TOPIC_CODES), min_length=1, required=False
    )
    is_active = YesNoField(required=False)


class WebhookOutput(serializers.Serializer):
    """A webhook without its secret."""

    id = serializers.UUIDField(source="public_id")
    url = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    created_at = InstantField()


class WebhookList(serializers.Serializer):
    """The organisation's webhooks."""

    results = WebhookOutput(many=True)


class AddedWebhook(WebhookOutput):
    """A new webhook; its secret is shown this once."""

    secret = serializers.CharField()


class WebhookDeliveryOutput(serializers.Serializer):
    """One event sent, or to be sent, to a webhook."""

    id = serializers.UUIDField(source="public_id")
    event = serializers.UUIDField(source="notification.public_id")
    topic = serializers.CharField(source="notification.topic")
    state = serializers.CharField()
    attempts = serializers.IntegerField()
    next_attempt_at = InstantField()
    finished_at = InstantField(allow_null=True)


class WebhookDeliveryPage(serializers.Serializer):
    """A page of the log."""

    results = WebhookDeliveryOutput(many=True)
    next = serializers.URLField(allow_null=True)


class WebhookView(MemberView):
    """An endpoint of people who keep webhooks."""

    readers = staticmethod(keeps_webhooks)
    writers = staticmethod(keeps_webhooks)
    read_scope = "webhooks"
    write_scope = "webhooks"


class WebhooksView(WebhookView):
    """The organisation's webhooks."""

    @extend_schema(operation_id="webhooks_list", tags=TAG, responses=WebhookList)
    def get(self, request: Request) -> Response:
        """List the organisation's webhooks, the newest first."""
        return Response({"results": WebhookOutput(webhooks_of(self.actor), many=True).data})

    @extend_schema(
        operation_id="webhooks_add", tags=TAG, request=WebhookInput, responses={201: AddedWebhook}
    )
    def post(self, request: Request) -> Response:
        """Add a webhook; its secret is in this answer only."""
        values = checked_body(WebhookInput, request)
        if not isinstance(request.auth, ApiToken) and not is_fresh(request.session):
            raise ConfirmationMissing
        endpoint, secret = add_webhook(actor=self.actor, **values)
        body = {**WebhookOutput(endpoint).data, "secret": secret}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class WebhookDetail(WebhookView):
    """One webhook."""

    @extend_schema(operation_id="webhooks_read", tags=TAG, responses=WebhookOutput)
    def get(self, request: Request, public_id: UUID) -> Response:
        """Return one of the organisation's webhooks."""
        return Response(WebhookOutput(find_webhook(actor=self.actor, public_id=public_id)).data)

    @extend_schema(
        operation_id="webhooks_change", tags=TAG, request=WebhookChanges, responses=WebhookOutput
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Choose its events, or switch it on or off."""
        endpoint = find_webhook(actor=self.actor, public_id=public_id)
        values = checked_body(WebhookChanges, request)
        changed = change_webhook(
            actor=self.actor,
            public_id=public_id,
            topics=values.get("topics"),
            is_active=values.get("is_active", endpoint.is_active),
        )
        return Response(WebhookOutput(changed).data)


class WebhookTest(WebhookView):
    """A test event."""

    @extend_schema(
        operation_id="webhooks_test", tags=TAG, request=None, responses={202: WebhookDeliveryOutput}
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Send a test event to the webhook."""
        delivery = send_test(actor=self.actor, public_id=public_id)
        return Response(WebhookDeliveryOutput(delivery).data, status=status.HTTP_202_ACCEPTED)


class WebhookDeliveries(WebhookView):
    """The log of a webhook."""

    @extend_schema(
        operation_id="webhooks_deliveries",
        tags=TAG,
        parameters=[PageQuery],
        responses=WebhookDeliveryPage,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """List what was sent to the webhook, the newest first."""
        endpoint = find_webhook(actor=self.actor, public_id=public_id)
        rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("notification")
        return page_of(rows, request, WebhookDeliveryOutput, **PageQuery.read(request))


class WebhookRedelivery(WebhookView):
    """Sending a finished event again."""

    @extend_schema(
        operation_id="webhook_deliveries_again",
        tags=TAG,
        request=None,
        responses={202: WebhookDeliveryOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Send a delivery again, under the same id."""
        delivery = redeliver(actor=self.actor, public_id=public_id)
        return Response(WebhookDeliveryOutput(delivery).data, status=status.HTTP_202_ACCEPTED)
