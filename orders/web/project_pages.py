"""A buyer's projects: budget, what is used of it, alerts, and the rule for second signatures."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import Role
from marketplace.permissions import Actor
from marketplace.web.access import acting_organisation, current_actor, require
from marketplace.web.form_fields import PlainDecimalField, add_refusal
from orders.models import Order, Project
from orders.selectors.projects import Commitment, project_commitments, projects_of
from orders.services import buying_rules
from orders.web.order_rows import order_rows

PAGE_SIZE = 25
RECENT_ORDERS = 10
WARNED_AT = Decimal("0.8")


def on_buying_side(actor: Actor) -> bool:
    """Tell whether the actor buys for its organisation or keeps its books."""
    organisation = actor.organisation
    return (
        organisation is not None
        and actor.is_trading_member
        and organisation.is_buyer
        and actor.has(Role.BUYER, Role.FINANCE)
    )


require_buying_side = require(on_buying_side)
require_rule_keeper = require(lambda actor: on_buying_side(actor) and actor.has(Role.FINANCE))


class ProjectForm(forms.Form):
    """Name and budget of a project."""

    name = forms.CharField(label=_("Name"), max_length=80)
    budget = PlainDecimalField(
        label=_("Budget, CNY incl. VAT"),
        places=2,
        max_digits=12,
        required=False,
        help_text=_("Empty: no budget. Counted are holds in the book and what was bought."),
    )
    refuses_beyond_budget = forms.BooleanField(
        label=_("Refuse bids beyond the budget"),
        required=False,
        initial=True,
        help_text=_("Otherwise only a warning comes at 80 % and at 100 %."),
    )
    note = forms.CharField(label=_("Own note"), max_length=200, required=False)


class ProjectChangeForm(ProjectForm):
    """The same, and whether bids may still be booked to it."""

    is_open = forms.BooleanField(label=_("Takes new bids"), required=False)


class RuleForm(forms.Form):
    """Above which sum a second person must agree."""

    approval_above = PlainDecimalField(
        label=_("A second person approves bids above, CNY incl. VAT"),
        places=2,
        max_digits=12,
        required=False,
        help_text=_("Empty: nobody need approve. 0: every bid needs approval."),
    )


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project with what its orders cost, CNY incl. VAT."""

    project: Project
    commitment: Commitment

    @property
    def share(self) -> Decimal | None:
        """Used share of the budget; None without a budget."""
        budget = self.project.budget_cny
        return None if budget is None else self.commitment.total_cny / budget

    @property
    def percentage(self) -> int:
        """The share as whole per cent, at most 100."""
        return min(100, int((self.share or Decimal(0)) * 100))

    @property
    def left_cny(self) -> Decimal | None:
        """What is left of the budget."""
        budget = self.project.budget_cny
        return None if budget is None else max(budget - self.commitment.total_cny, Decimal(0))

    @property
    def is_tight(self) -> bool:
        """Tell whether the first warning is due."""
        return self.share is not None and self.share >= WARNED_AT


def project_rows(projects: list[Project]) -> list[ProjectRow]:
    """Return a row for each project, in a fixed number of queries."""
    found = project_commitments(projects=projects)
    return [ProjectRow(project, found.get(project.pk, Commitment())) for project in projects]


@require_buying_side
@require_safe
def list_projects(request: HttpRequest) -> HttpResponse:
    """Show the member's projects with budget and use."""
    owner = acting_organisation(request)
    page = Paginator(projects_of(organisation=owner), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": project_rows(list(page.object_list)),
        "threshold": buying_rules.approval_threshold(owner),
        "can_set_rule": current_actor(request).has(Role.FINANCE),
        "result_text": gettext("%(count)s projects") % {"count": page.paginator.count},
    }
    return render(request, "orders/project_list.html", context)


@require_buying_side
@require_http_methods(["GET", "HEAD", "POST"])
def new_project(request: HttpRequest) -> HttpResponse:
    """Make a project."""
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            project = buying_rules.open_project(
                actor=current_actor(request),
                name=given["name"],
                budget_cny=given["budget"],
                refuses_beyond_budget=given["refuses_beyond_budget"],
                note=given["note"],
            )
        except RuleBroken as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, gettext("The project is open; choose it in the bid form."))
            return redirect("project", public_id=project.public_id)
    return _form_page(request, form, gettext("New project"), reverse("projects"))


@require_buying_side
@require_http_methods(["GET", "HEAD", "POST"])
def edit_project(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change a project."""
    project = _own_project(request, public_id)
    initial = {
        "name": project.name,
        "budget": project.budget_cny,
        "refuses_beyond_budget": project.refuses_beyond_budget,
        "note": project.note,
        "is_open": project.is_open,
    }
    form = ProjectChangeForm(request.POST or None, initial=initial)
    address = reverse("project", args=[public_id])
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            buying_rules.change_project(
                actor=current_actor(request),
                public_id=public_id,
                budget_cny=given.pop("budget"),
                **given,
            )
        except RuleBroken as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, gettext("The project is changed."))
            return redirect(address)
    return _form_page(request, form, gettext("Change the project"), address)


@require_buying_side
@require_safe
def show_project(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one project: use of the budget, alerts, its newest orders."""
    project = _own_project(request, public_id)
    orders = Order.objects.filter(project=project).order_by("-id")[:RECENT_ORDERS]
    context = {
        "row": project_rows([project])[0],
        "project": project,
        "alerts": list(project.alerts.order_by("-id")),  # type: ignore[attr-defined]
        "rows": order_rows(orders),
    }
    return render(request, "orders/project_detail.html", context)


@require_rule_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def change_rule(request: HttpRequest) -> HttpResponse:
    """Set the sum above which a second person must agree."""
    owner = acting_organisation(request)
    before = {"approval_above": buying_rules.approval_threshold(owner)}
    form = RuleForm(request.POST or None, initial=before)
    if request.method == "POST" and form.is_valid():
        try:
            buying_rules.set_approval_threshold(
                actor=current_actor(request), above_cny=form.cleaned_data["approval_above"]
            )
        except RuleBroken as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, gettext("The rule for approvals is changed."))
            return redirect("projects")
    return _form_page(request, form, gettext("Rule for approvals"), reverse("projects"))


def _form_page(request: HttpRequest, form: forms.Form, title: str, cancel_url: str) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "title": title, "cancel_url": cancel_url}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "orders/project_form.html", context, status=status)


def _own_project(request: HttpRequest, public_id: UUID) -> Project:
    own = Project.objects.filter(organisation=acting_organisation(request))
    project = own.filter(public_id=public_id).first()
    if project is None:
        raise Http404
    return project
