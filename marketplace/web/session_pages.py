"""Signing in and out, the language, and the organisation one acts for."""

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from marketplace.models import User
from marketplace.services.second_factor import has_second_factor
from marketplace.web.access import SESSION_KEY, organisations_of
from marketplace.web.drafts import remember_person
from marketplace.web.sign_in_steps import wait_for_code

LANGUAGES = {code for code, _name in settings.LANGUAGES}


class SignInForm(AuthenticationForm):
    """E-mail or mobile number, and password."""

    username = forms.CharField(
        label=_("E-mail or mobile number"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    error_messages = {
        "invalid_login": _(
            "This e-mail or mobile number and password do not belong together. "
            "Capitals matter in the password."
        ),
        "inactive": _("This account is switched off."),
    }

    def clean_username(self) -> str:
        """Return the e-mail; a mobile number is looked up."""
        name = self.cleaned_data["username"].strip()
        if "@" in name:
            return name.lower()
        user = User.objects.filter(mobile=name).exclude(mobile="").first()
        return user.email if user else name


class SignInView(LoginView):
    """The sign-in page; takes over the language that the user has chosen before."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, or ask for the code of the second factor first.

        The user's language counts where this browser has not chosen one.
        """
        user = form.get_user()
        if has_second_factor(user):
            wait_for_code(
                self.request,
                user=user,
                backend=str(getattr(user, "backend", "")),  # set by authenticate()
                following=self.get_success_url(),
            )
            response: HttpResponse = redirect("second-factor")
        else:
            response = super().form_valid(form)
            remember_person(self.request, response)
        language = user.language
        has_chosen = settings.LANGUAGE_COOKIE_NAME in self.request.COOKIES
        if language in LANGUAGES and not has_chosen:
            response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, samesite="Lax")
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Answer 422 with the form, as every refused form does."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


class SignOutView(LogoutView):
    """Signs out; by POST only."""


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Set the language of this browser, and of the user when signed in."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in LANGUAGES:
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_language(request)


@require_POST
def switch_organisation(request: HttpRequest) -> HttpResponseRedirect:
    """Act for another of the user's organisations; one that is not theirs is not found."""
    wanted = request.POST.get("organisation", "")
    chosen = next((o for o in organisations_of(request) if str(o.public_id) == wanted), None)
    if chosen is None:
        raise Http404
    request.session[SESSION_KEY] = chosen.pk
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return redirect(target if is_ours else "/")
