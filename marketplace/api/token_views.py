"""Making, listing and revoking one's own tokens, signed in to the portal."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import ConfirmationMissing, SessionView
from marketplace.api.fields import ChoiceField, TextField, WholeNumberField
from marketplace.api.serializers import StrictSerializer, checked_body
from marketplace.api.throttles import SignInThrottle
from marketplace.services.api_tokens import (
    LONGEST_DAYS,
    SCOPES,
    issue_token,
    revoke_token,
    tokens_of,
)
from marketplace.services.proofs import is_fresh

TAG = ["tokens"]


class TokenInput(StrictSerializer):
    """A token wanted."""

    name = TextField(max_length=80)
    scopes = serializers.ListField(child=ChoiceField(choices=SCOPES), min_length=1, max_length=10)
    days = WholeNumberField(min_value=1, max_value=LONGEST_DAYS, required=False, default=90)


class TokenOutput(serializers.Serializer):
    """A token without its secret; `id` is its beginning."""

    id = serializers.CharField(source="token_key")
    name = serializers.CharField()
    organisation = serializers.UUIDField(source="organisation.public_id")
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry")


class TokenList(serializers.Serializer):
    """One's own tokens for the organisation."""

    results = TokenOutput(many=True)


class IssuedToken(TokenOutput):
    """A new token; its text is shown this once."""

    token = serializers.CharField()


class TokensView(SessionView):
    """One's own tokens."""

    throttle_classes = [SignInThrottle]

    @extend_schema(operation_id="tokens_list", tags=TAG, responses=TokenList)
    def get(self, request: Request) -> Response:
        """List one's own tokens for the organisation."""
        rows = tokens_of(self.actor).select_related("organisation")
        return Response({"results": TokenOutput(rows, many=True).data})

    @extend_schema(
        operation_id="tokens_issue", tags=TAG, request=TokenInput, responses={201: IssuedToken}
    )
    def post(self, request: Request) -> Response:
        """Make a token for the organisation acted for; its text is in this answer only."""
        if not is_fresh(request.session):
            raise ConfirmationMissing
        token, text = issue_token(actor=self.actor, **checked_body(TokenInput, request))
        body = {**TokenOutput(token).data, "token": text}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class TokenView(SessionView):
    """One token."""

    @extend_schema(operation_id="tokens_revoke", tags=TAG, responses={204: None})
    def delete(self, request: Request, token_key: str) -> Response:
        """Revoke a token."""
        revoke_token(actor=self.actor, token_key=token_key)
        return Response(status=status.HTTP_204_NO_CONTENT)
