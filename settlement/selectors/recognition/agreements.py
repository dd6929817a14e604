"""Agreements as people read them: the version that counts, its proposals, what is used of a cap."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from marketplace.domain.decimals import add_exactly
from marketplace.models import Organisation
from settlement.models import (
    AgreementStatus,
    AgreementVersion,
    AgreementVersionState,
    CapPeriod,
    CapUsage,
    RecognitionAgreement,
)


@dataclass(frozen=True)
class AgreementFace:
    """An agreement on a market date.

    Attributes:
        agreement: the direction.
        version: the approved version that counts; nothing while the first is only proposed.
        proposal: the version that waits for a second person, if any.
        is_in_force: approved, not suspended, and inside its dates.
        cap_period: key of the period whose caps count now.
        used_t: tonnes used of the common cap in it.
        party_used_t: tonnes that the reader's organisation used.
    """

    agreement: RecognitionAgreement
    version: AgreementVersion | None
    proposal: AgreementVersion | None
    is_in_force: bool
    cap_period: str
    used_t: Decimal
    party_used_t: Decimal

    @property
    def left_t(self) -> Decimal | None:
        """Tonnes left of the common cap; nothing when there is none."""
        if self.version is None or self.version.absolute_cap_t is None:
            return None
        return max(Decimal(0), add_exactly([self.version.absolute_cap_t, -self.used_t]))

    @property
    def used_percent(self) -> int | None:
        """Whole per cent of the common cap used, for a bar; nothing when there is no cap."""
        if self.version is None or not self.version.absolute_cap_t:
            return None
        return min(100, int(self.used_t * 100 / self.version.absolute_cap_t))


def agreements_seen() -> QuerySet[RecognitionAgreement]:
    """Return every agreement by code, with its ends."""
    rows = RecognitionAgreement.objects.select_related("from_registry", "to_scheme")
    return rows.order_by("code")


def agreement_faces(on: date, *, party: Organisation | None = None) -> list[AgreementFace]:
    """Return every agreement as it stands on a market date, by code."""
    agreements = list(agreements_seen())
    newest = _newest(AgreementVersionState.APPROVED)
    proposals = _newest(AgreementVersionState.PROPOSED)
    usage = {
        (row.agreement_id, row.period, row.organisation_id): row.used_t
        for row in CapUsage.objects.all()
    }
    return [
        _face(agreement, newest.get(agreement.pk), proposals.get(agreement.pk), usage, on, party)
        for agreement in agreements
    ]


def agreement_face(
    agreement: RecognitionAgreement, on: date, *, party: Organisation | None = None
) -> AgreementFace:
    """Return one agreement as it stands on a market date."""
    faces = agreement_faces(on, party=party)
    return next(face for face in faces if face.agreement.pk == agreement.pk)


def cap_period_key(version: AgreementVersion, on: date) -> str:
    """Return the key of the cap period that a market date falls into: `2026`, `2026-07`, `term`."""
    if version.cap_period == CapPeriod.TERM:
        return "term"
    return f"{on:%Y-%m}" if version.cap_period == CapPeriod.MONTH else f"{on:%Y}"


def waiting_proposals() -> QuerySet[AgreementVersion]:
    """Return the versions that wait for a second person, oldest first."""
    rows = AgreementVersion.objects.filter(state=AgreementVersionState.PROPOSED)
    return rows.select_related(
        "agreement__from_registry", "agreement__to_scheme", "proposed_by"
    ).order_by("id")


def _newest(state: AgreementVersionState) -> dict[int, AgreementVersion]:
    rows = AgreementVersion.objects.filter(state=state).select_related("proposed_by", "decided_by")
    newest = rows.order_by("agreement_id", "-number").distinct("agreement_id")
    return {row.agreement_id: row for row in newest}


def _face(
    agreement: RecognitionAgreement,
    version: AgreementVersion | None,
    proposal: AgreementVersion | None,
    usage: dict[tuple[int, str, int | None], Decimal],
    on: date,
    party: Organisation | None,
) -> AgreementFace:
    period = cap_period_key(version, on) if version else ""
    is_in_force = (
        version is not None
        and version.status == AgreementStatus.ACTIVE
        and version.valid_from <= on <= version.valid_to
    )
    used = usage.get((agreement.pk, period, None), Decimal(0))
    mine = usage.get((agreement.pk, period, party.pk), Decimal(0)) if party else Decimal(0)
    return AgreementFace(agreement, version, proposal, is_in_force, period, used, mine)
