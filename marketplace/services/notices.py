"""Notices of the operator to members, and members' suggestions with the operator's answers."""

from uuid import UUID

from django.db import transaction

from marketplace.domain.errors import NotAdmitted, NotFound, RuleBroken, gettext_noop
from marketplace.models import (
    SUGGESTION_TRANSITIONS,
    Notice,
    NoticeAudience,
    Organisation,
    Role,
    Suggestion,
    SuggestionState,
)
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.services.audit import record_audit
from marketplace.services.checks import (
    Missing,
    TextTooLong,
    check_text,
    check_transition,
    require_operator,
)
from marketplace.services.outbox import emit_event

LONGEST_TITLE = 120
LONGEST_TEXT = 4000
OPEN_SUGGESTIONS = 20


class AudienceUnclear(RuleBroken):
    """A notice is for everybody, for a role, or for one member."""

    code = "audience_unclear"
    message = gettext_noop("Say whom the notice is for.")


class TooManySuggestions(RuleBroken):
    """A member has many suggestions without an answer."""

    code = "too_many_suggestions"
    message = gettext_noop(
        "Your organisation has %(limit)s suggestions waiting for an answer; please wait for those."
    )
    status = 409


@transaction.atomic
def publish_notice(
    *,
    actor: Actor,
    title_zh: str,
    title_en: str,
    body_zh: str,
    body_en: str,
    audience: str,
    role: str = "",
    organisation: Organisation | None = None,
) -> Notice:
    """Publish a notice in both languages to everybody, a role or one member.

    It cannot be changed afterwards; the outbox topic `notice.published` carries it to mailboxes.

    Raises:
        NotPermitted, Missing, TextTooLong, AudienceUnclear: nothing was written.
    """
    platform = require_operator(actor)
    _check_audience(audience, role, organisation)
    notice = Notice.objects.create(
        title_zh=check_text(title_zh, field="title_zh", max_length=LONGEST_TITLE, required=True),
        title_en=check_text(title_en, field="title_en", max_length=LONGEST_TITLE, required=True),
        body_zh=_long_text(body_zh, "body_zh"),
        body_en=_long_text(body_en, "body_en"),
        audience=audience,
        role=role if audience == NoticeAudience.ROLE else "",
        organisation=organisation if audience == NoticeAudience.ORGANISATION else None,
        published_at=market_now(),
        published_by=actor.user,
    )
    record_audit(
        action="notice.published",
        subject=notice,
        actor=actor.user,
        organisation=platform,
        after={"title": notice.title_zh, "audience": audience, "role": notice.role},
    )
    emit_event(
        topic="notice.published",
        aggregate=f"notice:{notice.pk}",
        payload={
            "notice_id": notice.pk,
            "audience": notice.audience,
            "role": notice.role,
            "organisation_id": notice.organisation_id,
        },
    )
    return notice


@transaction.atomic
def send_suggestion(*, actor: Actor, subject: str, text: str) -> Suggestion:
    """Send the operator a suggestion on behalf of the actor's organisation.

    Raises:
        NotAdmitted: the actor acts for no member.
        Missing, TextTooLong, TooManySuggestions: nothing was written.
    """
    owner = actor.organisation
    if owner is None or owner.is_platform:
        raise NotAdmitted
    Organisation.objects.select_for_update(no_key=True).get(pk=owner.pk)
    waiting = Suggestion.objects.filter(organisation=owner).exclude(state=SuggestionState.ANSWERED)
    if waiting.count() >= OPEN_SUGGESTIONS:
        raise TooManySuggestions(limit=OPEN_SUGGESTIONS)
    return Suggestion.objects.create(
        organisation=owner,
        author=actor.user,
        subject=check_text(subject, field="subject", max_length=LONGEST_TITLE, required=True),
        text=_long_text(text, "text"),
        sent_at=market_now(),
    )


def review_suggestion(*, actor: Actor, public_id: UUID) -> Suggestion:
    """Say that the operator looks into a suggestion; raises NotFound or StateForbids."""
    return _move(actor, public_id, SuggestionState.UNDER_REVIEW)


def answer_suggestion(
    *, actor: Actor, public_id: UUID, answer: str, is_public: bool = False
) -> Suggestion:
    """Answer a suggestion; a public answer is read by everybody, without who asked.

    Raises:
        NotPermitted, NotFound, Missing, TextTooLong, StateForbids: nothing was changed.
    """
    return _move(
        actor,
        public_id,
        SuggestionState.ANSWERED,
        answer=_long_text(answer, "answer"),
        is_public=is_public,
    )


@transaction.atomic
def _move(
    actor: Actor,
    public_id: UUID,
    target: SuggestionState,
    *,
    answer: str = "",
    is_public: bool = False,
) -> Suggestion:
    platform = require_operator(actor)
    suggestion = Suggestion.objects.select_for_update().filter(public_id=public_id).first()
    if suggestion is None:
        raise NotFound
    before = suggestion.state
    suggestion.state = check_transition(SUGGESTION_TRANSITIONS, before, target)
    if answer:
        suggestion.answer, suggestion.is_public = answer, is_public
        suggestion.answered_at, suggestion.answered_by = market_now(), actor.user
        emit_event(
            topic="suggestion.answered",
            aggregate=f"suggestion:{suggestion.pk}",
            payload={
                "suggestion_id": suggestion.pk,
                "organisation_id": suggestion.organisation_id,
            },
        )
    suggestion.save()
    record_audit(
        action=f"suggestion.{suggestion.state}",
        subject=suggestion,
        actor=actor.user,
        organisation=platform,
        before={"state": before},
        after={"state": suggestion.state, "is_public": suggestion.is_public},
    )
    return suggestion


def _check_audience(audience: str, role: str, organisation: Organisation | None) -> None:
    if audience not in NoticeAudience.values:
        raise AudienceUnclear(field="audience")
    if audience == NoticeAudience.ROLE and role not in Role.values:
        raise AudienceUnclear(field="role")
    if audience == NoticeAudience.ORGANISATION and organisation is None:
        raise AudienceUnclear(field="organisation")


def _long_text(value: str, field: str) -> str:
    """Return a text of several lines, without other control characters."""
    lines = value.replace("\r\n", "\n").strip().split("\n")
    if not any(line.strip() for line in lines):
        raise Missing(field=field)
    text = "\n".join(check_text(line, field=field, max_length=LONGEST_TEXT) for line in lines)
    if len(text) > LONGEST_TEXT:
        raise TextTooLong(field=field, max_length=LONGEST_TEXT)
    return text
