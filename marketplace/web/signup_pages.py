"""Signing up, and what an applicant sees until the market operator has decided."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import OrganisationState, User
from marketplace.services.error_texts import error_text
from marketplace.services.organisations import resubmit_organisation
from marketplace.services.sign_up import Person, sign_up
from marketplace.web.access import SESSION_KEY, acting_organisation, current_actor, require_member
from marketplace.web.form_fields import add_refusal
from marketplace.web.signup_checklist import summary_of, tasks_of
from marketplace.web.signup_forms import PERSON_FIELDS, OrganisationForm, SignUpForm

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password", "password_again")
@require_http_methods(["GET", "HEAD", "POST"])
def show_sign_up(request: HttpRequest) -> HttpResponse:
    """Register a person with an organisation; one who is signed in adds an organisation."""
    known = request.user if request.user.is_authenticated else None
    form = (OrganisationForm if known else SignUpForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, organisation = sign_up(**_values(form, known))
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            if not known:
                login(request, user, backend=BACKEND)
            request.session[SESSION_KEY] = organisation.pk
            return redirect("sign-up-status")
    context = {
        "form": form,
        "known": known,
        "submit_label": gettext("Apply for admission"),
        "cancel_url": "/",
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/signup.html", context, status=status)


def _values(form: OrganisationForm, known: Any) -> dict[str, Any]:
    given = dict(form.cleaned_data)
    person = {name: given.pop(name) for name in PERSON_FIELDS if name in given}
    if known is not None:
        # request.user is lazy; the service wants the row itself.
        return {"person": User.objects.get(pk=known.pk), **given}
    person.pop("password_again")
    return {"person": Person(**person, language=get_language() or ""), **given}


@require_member
@require_safe
def show_status(request: HttpRequest) -> HttpResponse:
    """Show how far the application is, and what was stated in it."""
    organisation = acting_organisation(request)
    context = {
        "organisation": organisation,
        "progress": summary_of(tasks_of(request, organisation)),
        "can_hand_in": not organisation.is_platform,
        "can_sell": organisation.is_supplier,
        "is_rejected": organisation.state == OrganisationState.REJECTED,
        "is_approved": organisation.state == OrganisationState.APPROVED,
        "is_suspended": organisation.state == OrganisationState.SUSPENDED,
    }
    return render(request, "marketplace/signup_status.html", context)


@login_required
@require_POST
def apply_again(request: HttpRequest) -> HttpResponse:
    """Ask the operator to look again after a rejection."""
    try:
        resubmit_organisation(actor=current_actor(request))
    except RuleBroken as error:
        messages.error(request, error_text(error))
    else:
        messages.success(request, gettext("The application is sent again."))
    return redirect(reverse("sign-up-status"))
