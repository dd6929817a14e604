"""Tokens by which one's programs call the interface: made, listed, revoked."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.services.api_tokens import (
    LONGEST_DAYS,
    SCOPES,
    issue_token,
    revoke_token,
    tokens_of,
)
from marketplace.web.access import current_actor, require_member
from marketplace.web.form_fields import add_refusal
from marketplace.web.stepping_up import require_confirmation

SCOPE_NAMES = {
    "read": _("Read the market and our own orders and deliveries"),
    "orders": _("Place and cancel orders"),
    "listings": _("Change pools and listings"),
    "deliveries": _("Hand over, confirm and meter deliveries"),
    "finance": _("Read our money and bills"),
    "webhooks": _("Keep webhooks"),
}
DAYS = ((7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (LONGEST_DAYS, _("One year")))


class TokenForm(forms.Form):
    """A token wanted."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What the token is for, so you know it again.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=[(scope, SCOPE_NAMES[scope]) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Your roles still decide what may be done."),
    )
    days = forms.TypedChoiceField(label=_("Valid for"), choices=DAYS, coerce=int, initial=90)


@require_member
@require_safe
def list_tokens(request: HttpRequest) -> HttpResponse:
    """Show one's own tokens in this organisation."""
    now = timezone.now()
    rows = [
        {
            "token": token,
            "scopes": [SCOPE_NAMES[scope] for scope in token.scopes if scope in SCOPE_NAMES],
            "is_over": token.expiry is not None and token.expiry <= now,
        }
        for token in tokens_of(current_actor(request))
    ]
    return render(request, "marketplace/tokens.html", {"rows": rows})


@never_cache
@require_member
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show its text, this once."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, text = issue_token(actor=current_actor(request), **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            context: dict[str, Any] = {"token": token, "text": text}
            return render(request, "marketplace/token_made.html", context)
    context = {"form": form, "cancel_url": reverse("api-token-list")}
    status = 422 if form.errors else 200
    return render(request, "marketplace/token_form.html", context, status=status)


@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def drop_token(request: HttpRequest, token_key: str) -> HttpResponse:
    """Revoke a token, after a question."""
    actor = current_actor(request)
    token = tokens_of(actor).filter(token_key=token_key).first()
    if token is None:
        raise Http404
    if request.method == "POST":
        try:
            revoke_token(actor=actor, token_key=token_key)
        except NotFound:
            raise Http404 from None
        messages.success(request, gettext("The token is revoked."))
        return redirect("api-token-list")
    context = {
        "question": gettext("Revoke the token %(name)s?") % {"name": token.name},
        "text": gettext("Programs that use it are refused from then on."),
        "confirm_label": gettext("Revoke"),
        "danger": True,
        "cancel_url": reverse("api-token-list"),
    }
    return render(request, "generic/confirm.html", context)
