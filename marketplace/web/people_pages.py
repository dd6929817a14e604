"""Who acts for the organisation: roles, invitations, and accepting one."""

from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.models import Invitation, Organisation, Role
from marketplace.permissions import Actor
from marketplace.services.error_texts import error_text
from marketplace.services.invitations import (
    accept_invitation,
    find_invitation,
    invite_member,
    join_by_invitation,
    open_invitations,
    withdraw_invitation,
)
from marketplace.services.mails import absolute
from marketplace.services.second_factor import people_with_second_factor
from marketplace.services.users import revoke_role
from marketplace.templatetags.market_ui import localname
from marketplace.web.access import (
    SESSION_KEY,
    acting_organisation,
    current_actor,
    require_member,
)
from marketplace.web.account_pages import (
    NewPasswordForm,
    account_user,
    add_password_refusal,
)
from marketplace.web.form_fields import add_refusal
from marketplace.web.stepping_up import require_confirmation

BACKEND = "django.contrib.auth.backends.ModelBackend"


class InvitationForm(forms.Form):
    """Whom to invite, in which roles."""

    email = forms.EmailField(label=_("E-mail"))
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("You can give the roles that you hold."),
    )

    def __init__(self, *args: Any, actor: Actor, **more: Any) -> None:
        super().__init__(*args, **more)
        held = [(role.value, role.label) for role in Role if role.value in actor.roles]
        self.fields["roles"].choices = held  # type: ignore[attr-defined]


class JoinForm(NewPasswordForm):
    """Name and password of a person who joins by an invitation."""

    field_order = ("display_name", "wanted", "wanted_again")
    display_name = forms.CharField(
        label=_("Your name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


@require_member
@require_safe
def list_people(request: HttpRequest) -> HttpResponse:
    """Show who acts for the organisation, and who is invited."""
    actor = current_actor(request)
    organisation = acting_organisation(request)
    rows = organisation.memberships.select_related("user").order_by("user_id", "role")
    resettable = people_with_second_factor(organisation) if actor.is_operator else set()
    people = [
        {
            "user": user,
            "roles": list(roles),
            "is_self": user.pk == actor.user.pk,
            "can_reset": user.pk in resettable and user.pk != actor.user.pk,
        }
        for user, roles in groupby(rows, key=lambda row: row.user)
    ]
    context = {
        "organisation": organisation,
        "people": people,
        "own_roles": actor.roles,
        "invitations": [
            {"invitation": each, "roles": [Role(role).label for role in each.roles]}
            for each in open_invitations(organisation)
        ],
    }
    return render(request, "marketplace/people.html", context)


@never_cache
@require_member
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def invite_person(request: HttpRequest) -> HttpResponse:
    """Send an invitation by e-mail, and show its link once."""
    actor = current_actor(request)
    form = InvitationForm(request.POST or None, actor=actor)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            invitation, secret = invite_member(
                actor=actor, email=given["email"], roles=[Role(each) for each in given["roles"]]
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            link = absolute(reverse("invitation", args=[secret]))
            context = {"invitation": invitation, "link": link}
            return render(request, "marketplace/invitation_sent.html", context)
    context = {"form": form, "cancel_url": reverse("people")}
    status = 422 if form.errors else 200
    return render(request, "marketplace/invitation_form.html", context, status=status)


@require_member
@require_POST
def withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    """Make an open invitation void."""
    try:
        withdraw_invitation(actor=current_actor(request), public_id=public_id)
    except NotFound:
        raise Http404 from None
    messages.success(request, gettext("The invitation is withdrawn."))
    return redirect("people")


@require_member
@require_http_methods(["GET", "HEAD", "POST"])
def take_role(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Take a role from somebody, after a question."""
    actor = current_actor(request)
    rows = acting_organisation(request).memberships.select_related("user")
    membership = rows.filter(pk=membership_id).first()
    if membership is None:
        raise Http404
    if request.method == "POST":
        try:
            revoke_role(actor=actor, membership_id=membership_id)
        except RuleBroken as error:
            messages.error(request, error_text(error))
        else:
            messages.success(request, gettext("The role is taken away."))
        return redirect("people")
    names = {"role": membership.get_role_display(), "person": membership.user}
    context = {
        "question": gettext("Take the role %(role)s from %(person)s?") % names,
        "text": gettext("Without any role left the person no longer acts for the organisation."),
        "confirm_label": gettext("Take away"),
        "danger": True,
        "cancel_url": reverse("people"),
    }
    return render(request, "generic/confirm.html", context)


@never_cache
@sensitive_post_parameters("wanted", "wanted_again")
@require_http_methods(["GET", "HEAD", "POST"])
def answer_invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation, signed in or by making an account."""
    try:
        invitation = find_invitation(secret)
    except NotFound:
        return render(request, "marketplace/invitation_void.html", status=410)
    if request.user.is_authenticated:
        return _accept(request, invitation, secret)
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        response = _join(request, form, secret)
        if response is not None:
            return response
    return _show_invitation(request, invitation, form=form)


def _accept(request: HttpRequest, invitation: Invitation, secret: str) -> HttpResponse:
    user = account_user(request)
    if request.method == "POST":
        try:
            organisation = accept_invitation(user=user, secret=secret)
        except RuleBroken as error:
            messages.error(request, error_text(error))
            return redirect("home")
        request.session[SESSION_KEY] = organisation.pk
        _welcome(request, organisation)
        return redirect("home")
    return _show_invitation(request, invitation, is_other=user.email != invitation.email)


def _join(request: HttpRequest, form: JoinForm, secret: str) -> HttpResponse | None:
    given = form.cleaned_data
    try:
        user, organisation = join_by_invitation(
            secret=secret,
            password=given["wanted"],
            display_name=given["display_name"],
            language=get_language() or "",
        )
    except RuleBroken as error:
        add_password_refusal(form, error)
        return None
    login(request, user, backend=BACKEND)
    request.session[SESSION_KEY] = organisation.pk
    _welcome(request, organisation)
    return redirect("home")


def _welcome(request: HttpRequest, organisation: Organisation) -> None:
    name = localname(organisation)
    messages.success(request, gettext("Welcome. You act for %(name)s now.") % {"name": name})


def _show_invitation(
    request: HttpRequest, invitation: Invitation, *, form: Any = None, is_other: bool = False
) -> HttpResponse:
    context = {
        "invitation": invitation,
        "roles": [Role(role).label for role in invitation.roles],
        "form": form,
        "is_other": is_other,
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "marketplace/invitation.html", context, status=status)
