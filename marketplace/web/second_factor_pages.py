"""The second step of signing in, setting up the authenticator app, and confirming who one is."""

from typing import Any, cast

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.domain.errors import RuleBroken
from marketplace.models import Authenticator, User
from marketplace.services.proofs import VERIFIED_KEY, note_confirmation
from marketplace.services.second_factor import (
    address_of,
    begin_authenticator,
    check_second_factor,
    confirm_authenticator,
    has_second_factor,
    issue_shown_code,
    remove_authenticator,
    renew_recovery_codes,
    reset_second_factor,
    secret_of,
)
from marketplace.web.access import current_actor, demands_second_factor, require_operator
from marketplace.web.drafts import remember_person
from marketplace.web.form_fields import add_refusal
from marketplace.web.sign_in_steps import forget_waiting, waiting_user
from marketplace.web.stepping_up import require_confirmation

CODES_KEY = "fresh_recovery_codes"


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=pgettext_lazy("to sign in", "Code"),
        max_length=20,
        help_text=_("Six digits from your authenticator app, or one of your recovery codes."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )


class ConfirmForm(forms.Form):
    """The password once more, for people without a second factor."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, user: User, **more: Any) -> None:
        super().__init__(*args, **more)
        self._user = user

    def clean_password(self) -> str:
        """Refuse a wrong password."""
        password: str = self.cleaned_data["password"]
        if not self._user.check_password(password):
            raise forms.ValidationError(gettext("This password is not right."))
        return password


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_code(request: HttpRequest) -> HttpResponse:
    """Finish a sign-in with a code; the password was right, nobody is signed in yet."""
    waiting = waiting_user(request)
    if waiting is None:
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _takes(waiting.user, form):
        forget_waiting(request)
        login(request, waiting.user, backend=waiting.backend)
        request.session[VERIFIED_KEY] = True
        response = redirect(_safe(request, waiting.following))
        remember_person(request, response)
        return response
    return _show_code(request, form, waiting.user)


def _takes(user: User, form: CodeForm) -> bool:
    try:
        check_second_factor(user=user, code=form.cleaned_data["code"])
    except RuleBroken as error:
        add_refusal(form, error)
        return False
    return True


def _show_code(
    request: HttpRequest, form: forms.Form, user: User, *, is_confirmation: bool = False
) -> HttpResponse:
    shown = ""
    if settings.SHOW_SIGN_IN_CODES and isinstance(form, CodeForm):
        shown = issue_shown_code(user=user)
        form.initial["code"] = shown
    context = {"form": form, "is_confirmation": is_confirmation, "shown_code": shown}
    status = 422 if form.errors else 200
    return render(request, "registration/second_factor.html", context, status=status)


@never_cache
@sensitive_post_parameters("password")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_identity(request: HttpRequest) -> HttpResponse:
    """Ask for code or password once more before something with consequences."""
    user = _user(request)
    uses_code = has_second_factor(user)
    form: CodeForm | ConfirmForm = (
        CodeForm(request.POST or None)
        if uses_code
        else ConfirmForm(request.POST or None, user=user)
    )
    is_right = request.method == "POST" and form.is_valid()
    if is_right and (not isinstance(form, CodeForm) or _takes(user, form)):
        note_confirmation(request.session)
        return redirect(_safe(request, request.GET.get("next", "")))
    return _show_code(request, form, user, is_confirmation=True)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Show the QR code of a new authenticator app and take its first code."""
    user = _user(request)
    if has_second_factor(user):
        return redirect("security")
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = gettext("The six digits that the app shows now.")
    if request.method == "POST" and form.is_valid():
        try:
            codes = confirm_authenticator(user=user, code=form.cleaned_data["code"])
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            request.session[VERIFIED_KEY] = True
            note_confirmation(request.session)
            return _show_codes(request, codes)
    app = Authenticator.objects.filter(user=user, confirmed=False).order_by("-id").first()
    app = app if app and form.errors else begin_authenticator(user=user)
    context = {
        "form": form,
        "qr": segno.make(address_of(app), error="m").svg_data_uri(scale=5, border=2),
        "secret": _grouped(secret_of(app)),
        "is_demanded": demands_second_factor(request),
    }
    status = 422 if form.errors else 200
    return render(request, "registration/second_factor_setup.html", context, status=status)


def _grouped(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    # Answered directly and never stored: the codes are on this page alone.
    return render(request, "registration/recovery_codes.html", {"codes": codes})


@never_cache
@login_required
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Replace the recovery codes, after a question."""
    user = _user(request)
    if not has_second_factor(user):
        return redirect("security")
    if request.method == "POST":
        return _show_codes(request, renew_recovery_codes(user=user))
    context = {
        "question": gettext("Make new recovery codes?"),
        "text": gettext("The old ones are void at once."),
        "confirm_label": gettext("Make new codes"),
        "cancel_url": reverse("security"),
    }
    return render(request, "generic/confirm.html", context)


@never_cache
@login_required
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def switch_off(request: HttpRequest) -> HttpResponse:
    """Switch one's second factor off, after a question; not where the role demands it."""
    user = _user(request)
    if current_actor(request).needs_second_factor:
        messages.error(request, gettext("Your role needs a second factor: it stays on."))
        return redirect("security")
    if request.method == "POST":
        remove_authenticator(user=user)
        request.session.pop(VERIFIED_KEY, None)
        messages.success(request, gettext("The second factor is off."))
        return redirect("security")
    context = {
        "question": gettext("Switch the second factor off?"),
        "text": gettext("From then on the password alone lets somebody in."),
        "confirm_label": gettext("Switch off"),
        "danger": True,
        "cancel_url": reverse("security"),
    }
    return render(request, "generic/confirm.html", context)


@never_cache
@require_operator
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def reset_of(request: HttpRequest, user_id: int) -> HttpResponse:
    """Switch off somebody's second factor after a question: the person lost phone and codes."""
    actor = current_actor(request)
    person = User.objects.filter(pk=user_id, memberships__isnull=False).first()
    if person is None or person.pk == actor.user.pk or not has_second_factor(person):
        raise Http404
    if request.method == "POST":
        reset_second_factor(actor=actor, user_id=user_id)
        messages.success(request, gettext("The second factor is reset."))
        return redirect("home")
    context = {
        "question": gettext("Reset the second factor of %(person)s?") % {"person": person},
        "text": gettext(
            "Make sure by telephone or in person that it is them. Their sessions end, and the "
            "password alone lets them in until they set a new one up."
        ),
        "confirm_label": gettext("Reset"),
        "danger": True,
        "cancel_url": reverse("home"),
        "lines": [(gettext("E-mail"), person.email)],
    }
    return render(request, "generic/confirm.html", context)


def _user(request: HttpRequest) -> User:
    return User.objects.get(pk=cast(User, request.user).pk)


def _safe(request: HttpRequest, target: str) -> str:
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return target if is_ours else "/"
