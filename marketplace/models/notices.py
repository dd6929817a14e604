"""What the operator tells the members, and what they suggest to the operator."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.domain.transitions import TransitionTable
from marketplace.models.organisations import Organisation, Role


class NoticeAudience(models.TextChoices):
    """Whom a notice is for."""

    ALL = "all", _("All members")
    ROLE = "role", _("People with one role")
    ORGANISATION = "organisation", _("One member")


class Notice(models.Model):
    """A notice of the operator in both languages; published once and never changed."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title_zh = models.CharField(_("Chinese title"), max_length=120)
    title_en = models.CharField(_("English title"), max_length=160)
    body_zh = models.TextField(_("Chinese text"))
    body_en = models.TextField(_("English text"))
    audience = models.CharField(_("For"), max_length=12, choices=NoticeAudience.choices)
    role = models.CharField(_("Role"), max_length=12, choices=Role.choices, blank=True)
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Organisation"),
    )
    published_at = models.DateTimeField(_("Published at (market time)"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Notice")
        verbose_name_plural = _("Notices")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(audience="all", role="", organisation__isnull=True)
                | (models.Q(audience="role", organisation__isnull=True) & ~models.Q(role=""))
                | models.Q(audience="organisation", role="", organisation__isnull=False),
                name="notice_has_one_audience",
            ),
        ]
        indexes = [models.Index(fields=["-id"], name="notice_recent")]

    def __str__(self) -> str:
        return self.title_zh


class SuggestionState(models.TextChoices):
    """Where a suggestion stands."""

    SENT = "sent", pgettext_lazy("suggestion", "Sent")
    UNDER_REVIEW = "under_review", pgettext_lazy("suggestion", "Under review")
    ANSWERED = "answered", pgettext_lazy("suggestion", "Answered")


SUGGESTION_TRANSITIONS = TransitionTable(
    SuggestionState,
    {"sent": {"under_review", "answered"}, "under_review": {"answered"}, "answered": set()},
)


class Suggestion(models.Model):
    """What a participant proposes, and the operator's answer; a public one is read by everybody."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(_("Subject"), max_length=120)
    text = models.TextField(_("Suggestion"))
    state = models.CharField(
        max_length=12, choices=SuggestionState.choices, default=SuggestionState.SENT
    )
    answer = models.TextField(_("Answer"), blank=True)
    is_public = models.BooleanField(_("Everybody may read question and answer"), default=False)
    sent_at = models.DateTimeField(_("Sent at (market time)"))
    answered_at = models.DateTimeField(_("Answered at (market time)"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Suggestion")
        verbose_name_plural = _("Suggestions")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="answered")
                | (~models.Q(answer="") & models.Q(answered_at__isnull=False)),
                name="suggestion_answer_is_there",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="suggestion_state"),
            models.Index(fields=["organisation", "-id"], name="suggestion_member"),
        ]

    def __str__(self) -> str:
        return self.subject
