"""Setting a new password by a link in a mail."""

from django import forms
from django.contrib import messages
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.domain.errors import RuleBroken
from marketplace.models import User
from marketplace.services.background import enqueue_on_commit
from marketplace.services.own_account import reset_password
from marketplace.web.account_pages import NewPasswordForm, add_password_refusal

BETWEEN_MAILS_S = 120


class AddressForm(forms.Form):
    """Whose password is forgotten."""

    email = forms.EmailField(
        label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


@require_http_methods(["GET", "HEAD", "POST"])
def ask_link(request: HttpRequest) -> HttpResponse:
    """Send a link; the answer does not tell whether the address has an account."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = User.objects.filter(email=form.cleaned_data["email"].lower(), is_active=True).first()
        # One mail in two minutes is enough for a person, and too little to flood a mailbox.
        if user is not None and cache.add(f"password-link-{user.pk}", 1, BETWEEN_MAILS_S):
            enqueue_on_commit("marketplace.tasks.mail_password_link", user_id=user.pk)
        return render(request, "registration/password_link_sent.html")
    status = 422 if form.errors else 200
    return render(request, "registration/password_link.html", {"form": form}, status=status)


@never_cache
@sensitive_post_parameters("wanted", "wanted_again")
@require_http_methods(["GET", "HEAD", "POST"])
def follow_link(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """Take a new password from who holds the link; it works once and for an hour."""
    user = _user_of(number)
    if user is None or not default_token_generator.check_token(user, token):
        return render(request, "registration/password_link_void.html", status=410)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            reset_password(user=user, wanted=form.cleaned_data["wanted"])
        except RuleBroken as error:
            add_password_refusal(form, error)
        else:
            messages.success(request, gettext("The password is set. Sign in with it."))
            return redirect("sign-in")
    context = {"form": form, "person": user}
    status = 422 if form.errors else 200
    return render(request, "registration/password_new.html", context, status=status)


def _user_of(number: str) -> User | None:
    try:
        key = int(urlsafe_base64_decode(number).decode())
    except (ValueError, OverflowError):
        return None
    return User.objects.filter(pk=key, is_active=True).first() if key < 2**63 else None
