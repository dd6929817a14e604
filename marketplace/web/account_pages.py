"""One's own account: profile, password, second factor, sessions."""

import hashlib
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import User, UserSession
from marketplace.services.own_account import (
    change_password,
    end_other_sessions,
    sessions_of,
    update_profile,
)
from marketplace.services.proofs import note_confirmation
from marketplace.services.second_factor import has_second_factor, unused_recovery_codes
from marketplace.services.users import PasswordTooWeak
from marketplace.web.access import demands_second_factor
from marketplace.web.form_fields import add_refusal


class ProfileForm(forms.Form):
    """Name, number, language."""

    display_name = forms.CharField(
        label=_("Your name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    mobile = forms.CharField(
        label=_("Mobile number"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
        help_text=_("You may sign in with it instead of the e-mail address."),
    )
    language = forms.ChoiceField(
        label=_("Language of mails"),
        choices=[("zh-hans", "简体中文"), ("en", "English")],
    )


def password_field(label: Any, *, autocomplete: str, help_text: Any = "") -> forms.CharField:
    """Return a field for a password."""
    return forms.CharField(
        label=label,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    wanted = password_field(
        _("New password"), autocomplete="new-password", help_text=_("At least 10 characters.")
    )
    wanted_again = password_field(_("New password, once more"), autocomplete="new-password")

    def clean_wanted_again(self) -> str:
        """Refuse a second entry that differs."""
        again: str = self.cleaned_data["wanted_again"]
        if again != self.cleaned_data.get("wanted", again):
            raise forms.ValidationError(gettext("The two passwords differ."))
        return again


class PasswordForm(NewPasswordForm):
    """The present password, and a new one."""

    field_order = ("present", "wanted", "wanted_again")
    present = password_field(_("Present password"), autocomplete="current-password")


def add_password_refusal(form: forms.Form, error: RuleBroken) -> None:
    """Put what is wrong with a password beside its field, every rule on its own line."""
    if isinstance(error, PasswordTooWeak) and error.messages:
        for message in error.messages:
            form.add_error("wanted", message)
    else:
        add_refusal(form, error)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_account(request: HttpRequest) -> HttpResponse:
    """Show and change name, number and language."""
    user = account_user(request)
    known = {
        "display_name": user.display_name,
        "mobile": user.mobile,
        "language": user.language or "zh-hans",
    }
    form = ProfileForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            update_profile(user=user, **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Your profile is saved."))
            return redirect("account")
    context = {
        "form": form,
        "person": user,
        "memberships": user.memberships.select_related("organisation").order_by(
            "organisation_id", "role"
        ),
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/account.html", context, status=status)


@login_required
@require_safe
def show_security(request: HttpRequest) -> HttpResponse:
    """Show password, second factor and where one is signed in."""
    user = account_user(request)
    context = {
        "has_second_factor": has_second_factor(user),
        "is_demanded": demands_second_factor(request),
        "codes_left": unused_recovery_codes(user),
        "sessions": [_describe(row, request) for row in sessions_of(user)],
    }
    return render(request, "marketplace/security.html", context)


def _describe(row: UserSession, request: HttpRequest) -> dict[str, Any]:
    return {
        "id": session_name(row),
        "agent": browser_name(row.agent),
        "address": row.address or "",
        "signed_in_at": row.signed_in_at,
        "seen_at": row.seen_at,
        "is_this": row.pk == request.session.session_key,
    }


def session_name(row: UserSession) -> str:
    """Return a name of a session that says nothing about its key."""
    return hashlib.sha256(row.session_key.encode()).hexdigest()[:16]


def browser_name(agent: str) -> str:
    """Return browser and system in a few words; an unknown program by its own first words."""
    browsers = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    )
    found = [
        next((name for mark, name in table if mark in agent), "") for table in (browsers, systems)
    ]
    return " · ".join(part for part in found if part) or agent[:40] or "–"


@login_required
@require_POST
def end_session(request: HttpRequest, name: str) -> HttpResponse:
    """End one other session of one's own."""
    for row in sessions_of(account_user(request)):
        if session_name(row) == name and row.pk != request.session.session_key:
            row.delete()
            messages.success(request, gettext("The session is ended."))
    return redirect("security")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    key = request.session.session_key or ""
    end_other_sessions(user=account_user(request), except_key=key)
    messages.success(request, gettext("You are signed out everywhere else."))
    return redirect("security")


@sensitive_post_parameters("present", "wanted", "wanted_again")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_password(request: HttpRequest) -> HttpResponse:
    """Change one's password; every other session ends."""
    form = PasswordForm(request.POST or None)
    user = account_user(request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            change_password(user=user, present=given["present"], wanted=given["wanted"])
        except RuleBroken as error:
            add_password_refusal(form, error)
        else:
            update_session_auth_hash(request, user)
            note_confirmation(request.session)
            messages.success(
                request, gettext("The password is changed; every other session is ended.")
            )
            return redirect("security")
    context = {"form": form, "cancel_url": reverse("security")}
    status = 422 if form.errors else 200
    return render(request, "marketplace/password.html", context, status=status)


def account_user(request: HttpRequest) -> User:
    """Return the signed-in person's own row; request.user is lazy, services want the row."""
    return User.objects.get(pk=cast(User, request.user).pk)
