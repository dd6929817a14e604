"""The platform's hand on recognition: agreements, schemes, adjustments; signed in only.

One person proposes, another decides, and who decides has shown password or code lately, as on the
pages.
"""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import ConfirmationMissing, SessionView
from marketplace.api.serializers import checked_body
from marketplace.services.proofs import is_fresh
from settlement.api.recognition.desk_serializers import (
    AdjustmentInput,
    AdjustmentOutput,
    AgreementInput,
    SchemeInput,
    SchemeOutput,
    StatusInput,
    VersionDecisionInput,
    VersionInput,
    VersionList,
    VersionOutput,
    terms_draft,
)
from settlement.api.recognition.views import TAG, AgreementsView
from settlement.models import AgreementVersion
from settlement.selectors.recognition.agreements import waiting_proposals
from settlement.selectors.registry.naming import batch_named, member_named, registry_named
from settlement.services.recognition.agreements import (
    AgreementDraft,
    decide_version,
    propose_agreement,
    propose_status,
    propose_version,
)
from settlement.services.recognition.schemes import join_scheme, record_adjustment
from settlement.services.registry.access import may_keep_registry


class DeskView(SessionView):
    """An endpoint for the platform's people who keep agreements and cycles."""

    readers = staticmethod(may_keep_registry)
    writers = staticmethod(may_keep_registry)


class ConfirmedDeskView(DeskView):
    """An endpoint of the desk for who has shown password or code lately."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask for the confirmation after the permission; raises ConfirmationMissing."""
        super().initial(request, *args, **kwargs)
        if not is_fresh(request.session):
            raise ConfirmationMissing


class AgreementsDesk(AgreementsView):
    """The agreements, and a new one."""

    writers = staticmethod(may_keep_registry)

    @extend_schema(
        operation_id="agreements_propose",
        tags=TAG,
        request=AgreementInput,
        responses={201: VersionOutput},
    )
    def post(self, request: Request) -> Response:
        """Propose an agreement in one direction; another person decides its first version."""
        values = checked_body(AgreementInput, request)
        names = AgreementDraft.__dataclass_fields__
        version = propose_agreement(
            actor=self.actor,
            draft=AgreementDraft(**{name: values[name] for name in names}),
            terms=terms_draft(values["terms"]),
            reason=values["reason"],
        )
        return _proposed(version)


class AgreementVersionsView(DeskView):
    """Versions of agreements that wait for a second person."""

    @extend_schema(operation_id="agreement_versions_waiting", tags=TAG, responses=VersionList)
    def get(self, request: Request) -> Response:
        """List the proposals that nobody has decided, oldest first."""
        return Response({"results": VersionOutput(waiting_proposals(), many=True).data})


class AgreementChange(DeskView):
    """Changed terms."""

    @extend_schema(
        operation_id="agreements_change",
        tags=TAG,
        request=VersionInput,
        responses={201: VersionOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Propose changed terms; the present version counts until another person approves them."""
        values = checked_body(VersionInput, request)
        version = propose_version(
            actor=self.actor,
            agreement_public_id=public_id,
            terms=terms_draft(values["terms"]),
            reason=values["reason"],
        )
        return _proposed(version)


class AgreementRest(DeskView):
    """An agreement that rests, or is used again."""

    @extend_schema(
        operation_id="agreements_status",
        tags=TAG,
        request=StatusInput,
        responses={201: VersionOutput},
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Propose to suspend an agreement, or to take it up again; the terms stay."""
        values = checked_body(StatusInput, request)
        return _proposed(propose_status(actor=self.actor, agreement_public_id=public_id, **values))


class AgreementApproval(ConfirmedDeskView):
    """The second word on a version."""

    approve: ClassVar[bool] = True

    @extend_schema(
        operation_id="agreement_versions_approve",
        tags=TAG,
        request=VersionDecisionInput,
        responses=VersionOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Approve a version that somebody else proposed; it counts at once."""
        return self._decide(request, public_id)

    def _decide(self, request: Request, public_id: UUID) -> Response:
        values = checked_body(VersionDecisionInput, request)
        version = decide_version(
            actor=self.actor, version_public_id=public_id, approve=self.approve, **values
        )
        return Response(VersionOutput(version).data)


class AgreementRefusal(AgreementApproval):
    """The refusal of a version."""

    approve = False

    @extend_schema(
        operation_id="agreement_versions_refuse",
        tags=TAG,
        request=VersionDecisionInput,
        responses=VersionOutput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        """Refuse a version that somebody else proposed, with a reason."""
        return self._decide(request, public_id)


class SchemesView(DeskView):
    """Who reports in which scheme."""

    @extend_schema(
        operation_id="scheme_memberships_create",
        tags=TAG,
        request=SchemeInput,
        responses={201: SchemeOutput},
    )
    def post(self, request: Request) -> Response:
        """Let a member report in a scheme from a day on; the same again changes nothing."""
        values = checked_body(SchemeInput, request)
        row = join_scheme(
            actor=self.actor,
            organisation=member_named(values["organisation"], field="organisation"),
            scheme=registry_named(values["scheme"]),
            valid_from=values["valid_from"],
        )
        return Response(SchemeOutput(row).data, status=status.HTTP_201_CREATED)


class AdjustmentsView(DeskView):
    """Corresponding adjustments."""

    @extend_schema(
        operation_id="corresponding_adjustments_create",
        tags=TAG,
        request=AdjustmentInput,
        responses={201: AdjustmentOutput},
    )
    def post(self, request: Request) -> Response:
        """Record the corresponding adjustment of a batch; the first record of a batch stays."""
        values = checked_body(AdjustmentInput, request)
        row = record_adjustment(
            actor=self.actor,
            batch=batch_named(values["batch"]),
            reference=values["reference"],
            adjusted_on=values["adjusted_on"],
        )
        return Response(AdjustmentOutput(row).data, status=status.HTTP_201_CREATED)


def _proposed(version: AgreementVersion) -> Response:
    return Response(VersionOutput(version).data, status=status.HTTP_201_CREATED)
