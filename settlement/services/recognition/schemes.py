"""In which scheme an organisation reports, and which batches have a corresponding adjustment."""

from datetime import date

from django.db import transaction

from marketplace.domain.errors import NotFound, RuleBroken, gettext_noop
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.services.audit import record_audit
from marketplace.services.checks import check_text
from settlement.models import CorrespondingAdjustment, Registry, SchemeMembership, UnitBatch
from settlement.services.funds_requests import require_bookkeeper


class SchemeFixed(RuleBroken):
    """The organisation's scheme from that day on is recorded already."""

    code = "scheme_fixed"
    message = gettext_noop("Another scheme is recorded for that day already.")
    status = 409


@transaction.atomic
def join_scheme(
    *, actor: Actor, organisation: Organisation, scheme: Registry, valid_from: date
) -> SchemeMembership:
    """Let an organisation report in a scheme from a day on; the same again changes nothing.

    Raises:
        NotPermitted: the actor is neither operator nor finance of the platform.
        SchemeFixed: another scheme begins on that day.
    """
    require_bookkeeper(actor, operator_too=True)
    row, is_new = SchemeMembership.objects.get_or_create(
        organisation=organisation,
        valid_from=valid_from,
        defaults={"scheme": scheme, "entered_by": actor.user},
    )
    if row.scheme_id != scheme.pk:
        raise SchemeFixed(field="valid_from")
    if is_new:
        record_audit(
            action="recognition.scheme_joined",
            subject=row,
            actor=actor.user,
            organisation=organisation,
            after={"scheme": scheme.code, "valid_from": valid_from.isoformat()},
        )
    return row


@transaction.atomic
def record_adjustment(
    *, actor: Actor, batch: UnitBatch | None, reference: str, adjusted_on: date
) -> CorrespondingAdjustment:
    """Record that the host country made the corresponding adjustment for a batch, with its proof.

    Raises:
        NotPermitted, NotFound, Missing, TextTooLong: nothing was recorded.
    """
    require_bookkeeper(actor, operator_too=True)
    if batch is None:
        raise NotFound(field="batch")
    row, is_new = CorrespondingAdjustment.objects.get_or_create(
        batch=batch,
        defaults={
            "reference": check_text(reference, field="reference", max_length=120, required=True),
            "adjusted_on": adjusted_on,
            "entered_by": actor.user,
        },
    )
    if is_new:
        record_audit(
            action="recognition.adjustment_recorded",
            subject=row,
            actor=actor.user,
            organisation=actor.organisation,
            after={"batch": batch.issuance_id, "reference": row.reference},
        )
    return row
