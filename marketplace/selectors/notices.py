"""Which notices and suggestions somebody may read."""

from django.db.models import F, Q, QuerySet

from marketplace.models import Notice, NoticeAudience, Organisation, Suggestion, SuggestionState
from marketplace.permissions import Actor


def notices_for(actor: Actor) -> QuerySet[Notice]:
    """Return the notices for a person, newest first; the operator reads all of them."""
    notices = Notice.objects.select_related("organisation").order_by("-id")
    if actor.is_operator or actor.is_platform_auditor:
        return notices
    return notices.filter(
        Q(audience=NoticeAudience.ALL)
        | Q(audience=NoticeAudience.ROLE, role__in=actor.roles)
        | Q(audience=NoticeAudience.ORGANISATION, organisation=actor.organisation)
    )


def suggestions_of(organisation: Organisation) -> QuerySet[Suggestion]:
    """Return a member's own suggestions, newest first."""
    return Suggestion.objects.filter(organisation=organisation).order_by("-id")


def public_answers() -> QuerySet[Suggestion]:
    """Return answered suggestions that everybody may read, newest first."""
    answered = Suggestion.objects.filter(is_public=True, state=SuggestionState.ANSWERED)
    return answered.order_by("-answered_at", "-id")


def suggestion_queue() -> QuerySet[Suggestion]:
    """Return all suggestions for the operator, those without an answer first, oldest first."""
    rows = Suggestion.objects.select_related("organisation", "author")
    return rows.order_by(F("answered_at").desc(nulls_first=True), "id")
