"""The operator's queue of organisations that ask for admission, and the register of members."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.models import AuditEvent, Organisation, OrganisationState
from marketplace.selectors.clock import market_now
from marketplace.selectors.evidence import documents_of
from marketplace.selectors.organisations import members, organisation_by_public_id
from marketplace.services.organisations import (
    approve_organisation,
    reject_organisation,
    suspend_organisation,
)
from marketplace.services.second_factor import people_with_second_factor
from marketplace.templatetags.market_ui import localname
from marketplace.web.access import current_actor, require_operator
from marketplace.web.csv_answers import csv_answer
from marketplace.web.form_fields import add_refusal

PAGE_SIZE = 25
CSV_HEAD = (
    "code",
    "name_zh",
    "name_en",
    "credit_code",
    "city",
    "sells",
    "buys",
    "state",
    "telecom_licence_kind",
    "telecom_licence_number",
    "telecom_licence_expires_on",
    "applied_at",
    "decided_at",
)
DECISIONS: dict[str, dict[str, Any]] = {
    "approve": {
        "service": approve_organisation,
        "from": {OrganisationState.PENDING, OrganisationState.SUSPENDED},
        "question": gettext_noop("Admit %(name)s to the market?"),
        "text": _("Its ledger accounts are opened at once, and it may list capacity or bid."),
        "label": _("Admit"),
        "done": _("The organisation is admitted."),
        "danger": False,
    },
    "reject": {
        "service": reject_organisation,
        "from": {OrganisationState.PENDING},
        "question": gettext_noop("Refuse the application of %(name)s?"),
        "text": _("The applicant reads the reason, may correct the data and apply again."),
        "label": _("Refuse"),
        "done": _("The application is refused."),
        "danger": True,
    },
    "suspend": {
        "service": suspend_organisation,
        "from": {OrganisationState.APPROVED},
        "question": gettext_noop("Suspend %(name)s?"),
        "text": _(
            "It can no longer list or bid. What is sold and bought is delivered and settled."
        ),
        "label": _("Suspend"),
        "done": _("The organisation is suspended."),
        "danger": True,
    },
}


class MemberFilter(forms.Form):
    """Narrows the register."""

    q = forms.CharField(label=_("Name or code"), required=False, max_length=60)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *OrganisationState.choices],
    )

    def narrow(self, organisations: QuerySet[Organisation]) -> QuerySet[Organisation]:
        """Return the organisations asked for; wrong values narrow nothing."""
        asked = self.cleaned_data if self.is_valid() else {}
        if asked.get("state"):
            organisations = organisations.filter(state=asked["state"])
        if asked.get("q"):
            text = asked["q"]
            organisations = organisations.filter(
                Q(name_zh__icontains=text)
                | Q(name_en__icontains=text)
                | Q(credit_code__icontains=text)
                | Q(code__iexact=text)
            )
        return organisations


class DecisionForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, is_required: bool = True, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["reason"].required = is_required


@require_operator
@require_safe
def list_admissions(request: HttpRequest) -> HttpResponse:
    """Show who waits, longest first, and every member below."""
    data = request.GET.copy()
    form = MemberFilter(data)
    found = form.narrow(members()).order_by("-id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    counts = dict(members().values_list("state").annotate(n=Count("id")).order_by())
    context = {
        "filter_form": form,
        "page_obj": page,
        "tabs": _tabs(counts, request.GET.get("state", "")),
        "waiting": counts.get(OrganisationState.PENDING, 0),
        "result_text": gettext("%(count)s organisations") % {"count": page.paginator.count},
    }
    return render(request, "marketplace/admissions.html", context)


def _tabs(counts: dict[str, int], active: str) -> list[dict[str, Any]]:
    own = reverse("admissions")
    everything = {
        "label": _("All"),
        "url": own,
        "active": not active,
        "count": sum(counts.values()),
    }
    return [
        everything,
        *(
            {
                "label": state.label,
                "url": f"{own}?state={state.value}",
                "active": active == state,
                "count": counts.get(state.value, 0),
            }
            for state in OrganisationState
        ),
    ]


@require_operator
@require_safe
def export_members(request: HttpRequest) -> HttpResponse:
    """Answer the filtered register as CSV."""
    found = MemberFilter(request.GET).narrow(members())
    rows = (
        [
            one.code,
            one.name_zh,
            one.name_en,
            one.credit_code,
            one.city,
            "yes" if one.is_supplier else "no",
            "yes" if one.is_buyer else "no",
            one.state,
            one.telecom_licence_kind,
            one.telecom_licence_number,
            one.telecom_licence_expires_on or "",
            one.created_at.isoformat(),
            one.decided_at.isoformat() if one.decided_at else "",
        ]
        for one in found
    )
    return csv_answer("members.csv", CSV_HEAD, rows)


@require_operator
@require_safe
def show_applicant(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what an organisation stated, what can be checked, and what was decided."""
    organisation = _find(public_id)
    history = AuditEvent.objects.filter(
        object_type="marketplace.Organisation", object_id=str(organisation.pk)
    )
    context = {
        "organisation": organisation,
        "checks": checks_of(organisation),
        "documents": documents_of(organisation),
        "people": organisation.memberships.select_related("user").order_by("user_id", "role"),
        "resettable": people_with_second_factor(organisation),
        "history": history.select_related("actor").order_by("-id")[:20],
        "decisions": [
            {"name": name, "label": decision["label"], "danger": decision["danger"]}
            for name, decision in DECISIONS.items()
            if organisation.state in decision["from"]
        ],
        "crumbs": [(gettext("Admissions"), reverse("admissions"))],
    }
    return render(request, "marketplace/admission.html", context)


def checks_of(organisation: Organisation) -> list[dict[str, Any]]:
    """Return what the operator should look at, with what the system can tell."""
    licensed = bool(organisation.telecom_licence_number) or not organisation.is_supplier
    expires_on = organisation.telecom_licence_expires_on
    in_force = expires_on is None or expires_on >= market_now().date()
    payable = bool(organisation.bank_name and organisation.bank_account)
    return [
        {"label": _("The check character of the credit code fits"), "ok": True},
        {"label": _("A supplier has stated its telecom licence"), "ok": licensed},
        {"label": _("The licence is in force"), "ok": in_force},
        {"label": _("Bank and account are stated"), "ok": payable},
        {"label": _("A contact person is stated"), "ok": bool(organisation.contact_name)},
    ]


def _find(public_id: UUID) -> Organisation:
    try:
        organisation = organisation_by_public_id(public_id)
    except NotFound:
        raise Http404 from None
    if organisation.is_platform:
        raise Http404
    return organisation


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def decide_admission(request: HttpRequest, public_id: UUID, decision: str) -> HttpResponse:
    """Ask for the reason, then admit, refuse or suspend."""
    organisation = _find(public_id)
    chosen = DECISIONS[decision]
    question: str = chosen["question"]
    form = DecisionForm(request.POST or None, is_required=chosen["danger"])
    if request.method == "POST" and form.is_valid():
        try:
            chosen["service"](
                actor=current_actor(request),
                organisation=organisation,
                reason=form.cleaned_data["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, chosen["done"])
            return redirect("admissions")
    context = {
        "question": gettext(question) % {"name": localname(organisation)},
        "text": chosen["text"],
        "confirm_label": chosen["label"],
        "danger": chosen["danger"],
        "form": form,
        "cancel_url": reverse("admission", args=[organisation.public_id]),
        "lines": [
            (gettext("Organisation"), organisation.name_zh),
            (gettext("Unified social credit code"), organisation.credit_code),
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)
