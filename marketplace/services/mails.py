"""Mails about an account: invitations and links for a new password."""

from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext

from marketplace.models import Invitation, Role, User


def mail_invitation(*, invitation: Invitation, secret: str) -> None:
    """Send the link of an invitation, in both languages: the reader's is not known."""
    link = absolute(reverse("invitation", args=[secret]))
    parts = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            context = {"invitation": invitation, "link": link, "roles": _role_names(invitation)}
            parts.append(render_to_string("mail/invitation.txt", context))
            subject = gettext("Invitation to %(organisation)s") % {
                "organisation": invitation.organisation.name_zh
            }
    send_mail(subject, "\n\n".join(parts), settings.DEFAULT_FROM_EMAIL, [invitation.email])


def mail_password_link(*, user: User) -> None:
    """Send a link by which a person sets a new password, in the person's language."""
    token = default_token_generator.make_token(user)
    number = urlsafe_base64_encode(force_bytes(user.pk))
    link = absolute(reverse("password-reset-link", args=[number, token]))
    with translation.override(user.language or settings.LANGUAGE_CODE):
        text = render_to_string("mail/password_reset.txt", {"user": user, "link": link})
        subject = gettext("Set a new password")
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [user.email])


def absolute(path: str) -> str:
    """Return the address of a page as it stands in a mail."""
    return urljoin(settings.SITE_URL, path)


def _role_names(invitation: Invitation) -> list[str]:
    return [str(Role(role).label) for role in invitation.roles]
