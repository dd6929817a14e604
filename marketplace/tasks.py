"""What beat wakes up, and mails that follow a person's act."""

from importlib import import_module

from celery import shared_task
from django.conf import settings

from marketplace.models import Invitation, User
from marketplace.services.emails import send_due_emails
from marketplace.services.mails import mail_invitation as send_invitation
from marketplace.services.mails import mail_password_link as send_password_link
from marketplace.services.webhooks import send_due_webhooks


@shared_task
def send_emails() -> int:
    """Send the notifications that are due by e-mail."""
    return send_due_emails()


@shared_task
def send_webhooks() -> int:
    """Try the webhook deliveries that are due."""
    return send_due_webhooks()


@shared_task
def clear_sessions() -> None:
    """Delete the sessions that have run out."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


@shared_task
def mail_invitation(invitation_id: int, secret: str) -> None:
    """Send the link of an invitation, unless it is void by now."""
    invitation = Invitation.objects.filter(
        pk=invitation_id, accepted_at=None, withdrawn_at=None
    ).first()
    if invitation is not None:
        send_invitation(invitation=invitation, secret=secret)


@shared_task
def mail_password_link(user_id: int) -> None:
    """Send a link by which a person sets a new password."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None:
        send_password_link(user=user)
