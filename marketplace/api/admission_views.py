"""Organisations: asking for admission, and the operator's answer."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView, SessionView, operates
from marketplace.api.fields import DayField, TextField, YesNoField
from marketplace.api.pagination import PageQuery, page_of
from marketplace.api.serializers import StrictSerializer, checked_body
from marketplace.models import Organisation
from marketplace.permissions import Actor
from marketplace.selectors.organisations import organisation_by_public_id, pending_organisations
from marketplace.services.organisations import (
    approve_organisation,
    register_organisation,
    reject_organisation,
    suspend_organisation,
)

TAG = ["organisations"]


class OrganisationOutput(serializers.Serializer):
    """An organisation as its own people and the operator read it."""

    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField(allow_blank=True)
    credit_code = serializers.CharField()
    city = serializers.CharField(allow_blank=True)
    is_supplier = serializers.BooleanField()
    is_buyer = serializers.BooleanField()
    state = serializers.CharField()
    state_reason = serializers.CharField(allow_blank=True)


class OwnOutput(serializers.Serializer):
    """Who calls, for which organisation, in which roles."""

    organisation = OrganisationOutput()
    roles = serializers.ListField(child=serializers.CharField())


class OrganisationPage(serializers.Serializer):
    """A page of organisations."""

    results = OrganisationOutput(many=True)
    next = serializers.CharField(allow_null=True)


class RegistrationInput(StrictSerializer):
    """An organisation that asks for admission."""

    name_zh = TextField(max_length=120)
    name_en = TextField(max_length=160, required=False, allow_blank=True)
    credit_code = TextField(max_length=40)
    city = TextField(max_length=60, required=False, allow_blank=True)
    is_supplier = YesNoField()
    is_buyer = YesNoField()
    telecom_licence_kind = TextField(max_length=60, required=False, allow_blank=True)
    telecom_licence_number = TextField(max_length=60, required=False, allow_blank=True)
    telecom_licence_expires_on = DayField(required=False)
    contact_name = TextField(max_length=60, required=False, allow_blank=True)
    contact_phone = TextField(max_length=30, required=False, allow_blank=True)


class DecisionInput(StrictSerializer):
    """Why; needed to reject or suspend."""

    reason = TextField(max_length=300, required=False, default="", allow_blank=True)


class OwnView(MemberView):
    """Who calls."""

    @extend_schema(operation_id="me_read", tags=TAG, responses=OwnOutput)
    def get(self, request: Request) -> Response:
        """Return the organisation acted for, and the caller's roles there."""
        roles = sorted(self.actor.roles)
        return Response(OwnOutput({"organisation": self.organisation, "roles": roles}).data)


def _anybody(actor: Actor) -> bool:
    """Let in everybody who is signed in, member of an organisation or not yet."""
    return True


class RegistrationView(SessionView):
    """Asking for admission."""

    writers = staticmethod(_anybody)

    @extend_schema(
        operation_id="organisations_register",
        tags=TAG,
        request=RegistrationInput,
        responses={201: OrganisationOutput},
    )
    def post(self, request: Request) -> Response:
        """Register an organisation that waits for the operator's approval."""
        values = checked_body(RegistrationInput, request)
        organisation = register_organisation(user=self.actor.user, **values)
        return Response(OrganisationOutput(organisation).data, status=status.HTTP_201_CREATED)


class AdmissionsView(SessionView):
    """Who waits for admission."""

    readers = staticmethod(operates)

    @extend_schema(
        operation_id="admissions_list",
        tags=["operator"],
        parameters=[PageQuery],
        responses=OrganisationPage,
    )
    def get(self, request: Request) -> Response:
        """List the organisations that wait for admission, longest first."""
        query = PageQuery.read(request)
        return page_of(
            pending_organisations(),
            request,
            OrganisationOutput,
            limit=query["limit"],
            after=query.get("after"),
            order=("id",),
        )


class DecisionView(SessionView):
    """A decision about an organisation; the subclass names the service."""

    readers = staticmethod(operates)
    writers = staticmethod(operates)
    decide: ClassVar[Callable[..., Organisation]]

    def post(self, request: Request, public_id: UUID) -> Response:
        """Decide, and return the organisation."""
        reason = checked_body(DecisionInput, request)["reason"]
        organisation = organisation_by_public_id(public_id)
        decided = type(self).decide(actor=self.actor, organisation=organisation, reason=reason)
        return Response(OrganisationOutput(decided).data)


def _describe(name: str, text: str) -> Any:
    operation = extend_schema(
        operation_id=f"admissions_{name}",
        tags=["operator"],
        description=text,
        request=DecisionInput,
        responses={200: OrganisationOutput},
    )
    return extend_schema_view(post=operation)


@_describe("approve", "Admit an organisation, or readmit a suspended one.")
class Approval(DecisionView):
    """Admitting an organisation."""

    decide = staticmethod(approve_organisation)


@_describe("reject", "Refuse admission, with a reason.")
class Rejection(DecisionView):
    """Refusing admission."""

    decide = staticmethod(reject_organisation)


@_describe("suspend", "Keep a member out of the market, with a reason.")
class Suspension(DecisionView):
    """Suspending a member."""

    decide = staticmethod(suspend_organisation)
