"""The platform's desk of registries: files, rule sets, CCER, locks, invalidation, duties."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.domain.periods import market_date
from marketplace.domain.tables import ImportRefused
from marketplace.selectors.clock import market_now
from marketplace.web.access import current_actor, require
from marketplace.web.form_fields import add_refusal
from marketplace.web.uploads import SHOWN_ERRORS, RefusedRow, refused_rows
from settlement.domain.registry.blocks import UnitBlock
from settlement.domain.registry.serial_texts import read_run
from settlement.models import ImportFormat, ImportState, RegistryImport
from settlement.selectors.registry.holdings import duties_for, reads_all_units
from settlement.selectors.registry.rules import rule_set_on, rule_set_rows
from settlement.services.registry.access import may_keep_registry
from settlement.services.registry.disputes import lock_units, unlock_units
from settlement.services.registry.exclusivity import (
    CcerIssue,
    issue_ccer,
    register_ccer_project,
)
from settlement.services.registry.import_formats import FORMATS
from settlement.services.registry.import_rows import form_of
from settlement.services.registry.importing import (
    batches_of,
    confirm_registry_file,
    discard_registry_file,
    preview_registry_file,
)
from settlement.services.registry.invalidation import invalidate_units
from settlement.web.cases.acting import NothingAsked, confirm_page, enter_page
from settlement.web.registry.explorer_pages import find_project
from settlement.web.registry.file_cells import SHOWN_CELLS
from settlement.web.registry.forms import (
    CcerIssueForm,
    CreditingPeriodForm,
    LockForm,
    RegistryFileForm,
    TouchForm,
)

PAGE_SIZE = 20
SHOWN_ROWS = 50
require_keeper = require(may_keep_registry)
require_desk = require(reads_all_units)


@require_desk
@require_safe
def show_desk(request: HttpRequest) -> HttpResponse:
    """Show rule sets with their warnings, duties of replacement, and the files."""
    actor = current_actor(request)
    files = RegistryImport.objects.select_related("registry", "uploaded_by").defer("content")
    page = Paginator(files.order_by("-id"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "rule_sets": rule_set_rows(market_date(market_now())),
        "duties": duties_for(actor).filter(state="open"),
        "page_obj": page,
        "is_keeper": may_keep_registry(actor),
        "crumbs": [_registries()],
        "result_text": gettext("%(count)s files") % {"count": page.paginator.count},
    }
    return render(request, "settlement/registry/desk.html", context)


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def upload_file(request: HttpRequest) -> HttpResponse:
    """Read a file of a registry, or show what is wrong with it."""
    form = RegistryFileForm(request.POST or None, request.FILES or None)
    refused: list[RefusedRow] = []
    if request.method == "POST" and form.is_valid():
        try:
            file = preview_registry_file(
                actor=current_actor(request),
                registry=form.cleaned_data["registry"],
                file_name=form.cleaned_data["file"].name,
                data=form.read(),
                file_format=form.cleaned_data["file_format"],
            )
        except ImportRefused as error:
            refused = refused_rows(error)
            form.add_error("file", gettext("The file was refused whole; nothing was changed."))
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            return redirect("registry-file", public_id=file.public_id)
    context = {
        "form": form,
        "refused": refused,
        "most_shown": SHOWN_ERRORS,
        "formats": [
            (ImportFormat(name).label, form_of_file.columns)
            for name, form_of_file in FORMATS.items()
        ],
        "submit_label": gettext("Read the file"),
        "cancel_url": reverse("registry-desk"),
        "crumbs": [_registries(), _desk()],
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/registry/file_upload.html", context, status=status)


@require_desk
@require_safe
def show_file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what a file brings before it is taken over, and what it brought."""
    file = _file(public_id)
    shown = SHOWN_CELLS[file.file_format]
    context = {
        "file": file,
        "heads": [label for _name, label, _kind in shown],
        "rows": [
            (line, [(cells.get(name, ""), label, kind) for name, label, kind in shown])
            for line, cells in file.rows[:SHOWN_ROWS]
        ],
        "hidden_rows": max(0, len(file.rows) - SHOWN_ROWS),
        "batches": batches_of(file) if file.state == ImportState.CONFIRMED else [],
        "can_decide": file.state == ImportState.PREVIEWED
        and may_keep_registry(current_actor(request)),
        "crumbs": [_registries(), _desk()],
    }
    return render(request, "settlement/registry/file.html", context)


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def decide_file(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Take a file over or put it aside, after a question."""
    file = _file(public_id)
    confirm = verdict == "confirm"
    act = confirm_registry_file if confirm else discard_registry_file
    return confirm_page(
        request,
        form=NothingAsked(request.POST or None) if request.method == "POST" else NothingAsked(),
        run=lambda _values: act(actor=current_actor(request), public_id=public_id),
        question=gettext("Take this file over?") if confirm else gettext("Put this file aside?"),
        text=gettext("Every batch of it is recorded, or none.")
        if confirm
        else gettext("Nothing of it is recorded."),
        confirm_label=gettext("Take over") if confirm else gettext("Put aside"),
        back=reverse("registry-file", args=[public_id]),
        lines=[
            (gettext("Registry"), file.registry.code),
            (gettext("File"), file.file_name),
            (gettext("Batches"), str(len(file.rows))),
            (gettext("Units"), str(file.units)),
        ],
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def register_project(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record that a project entered CCER."""
    project = find_project(public_id)
    return enter_page(
        request,
        form=CreditingPeriodForm(request.POST or None),
        run=lambda values: register_ccer_project(
            actor=current_actor(request), project_id=public_id, **values
        ),
        title=gettext("Register with CCER"),
        submit_label=gettext("Register"),
        back=reverse("registry-project", args=[public_id]),
        crumbs=[_registries(), (project.native_id, reverse("registry-project", args=[public_id]))],
        aside=gettext(
            "Unsold green certificates of the crediting period freeze at once; when credits are"
            " issued, as many are cancelled as the energy has MWh."
        ),
        done=gettext("Registered; the unsold certificates of the period are frozen."),
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def issue_credits(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Issue CCER credits for the energy of a month."""
    project = find_project(public_id)
    rules = rule_set_on(market_date(market_now()))
    if rules is None:
        raise Http404

    def run(values: dict[str, Any]) -> object:
        programme = values["programme"]
        run_of = read_run(
            values["first_serial"],
            values["last_serial"],
            values["units"],
            form_of(programme.registry),
        )
        return issue_ccer(
            actor=current_actor(request),
            project_id=public_id,
            issue=CcerIssue(
                programme=programme,
                issuance_id=values["issuance_id"],
                run=run_of,
                mwh_by_month={values["month"].replace(day=1): values["mwh"]},
                baseline_factor=values["baseline_factor"],
                issued_on=values["issued_on"],
            ),
            holder=values["holder"],
        )

    return enter_page(
        request,
        form=CcerIssueForm(request.POST or None, credits_from=rules.credits_from),
        run=run,
        title=gettext("Issue CCER credits"),
        submit_label=gettext("Issue"),
        back=reverse("registry-project", args=[public_id]),
        crumbs=[_registries(), (project.native_id, reverse("registry-project", args=[public_id]))],
        aside=gettext("Credits are the energy times the baseline factor, rounded down."),
        names={"mwh_by_month": "month"},
    )


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def touch_units(request: HttpRequest, act: str) -> HttpResponse:
    """Invalidate, lock or free units by their issue and serials."""
    form = (TouchForm if act == "invalidate" else LockForm)(request.POST or None)

    def run(values: dict[str, Any]) -> object:
        block = UnitBlock(values["batch"].pk, values["first_serial"], values["last_serial"])
        given = {
            "actor": current_actor(request),
            "ranges": [block],
            "reason": values["reason"],
        }
        if act == "invalidate":
            return invalidate_units(**given)
        return (lock_units if act == "lock" else unlock_units)(holder=values["holder"], **given)

    titles = {
        "invalidate": (gettext("Invalidate units"), gettext("Invalidate")),
        "lock": (gettext("Lock units"), gettext("Lock")),
        "unlock": (gettext("Free locked units"), gettext("Free")),
    }
    asides = {
        "invalidate": gettext(
            "By order of the registry. Held units die; each retired one opens a duty of"
            " replacement."
        ),
        "lock": gettext("While a dispute is open, locked units neither move nor die."),
        "unlock": gettext("The units are their holder's to use again."),
    }
    return enter_page(
        request,
        form=form,
        run=run,
        title=titles[act][0],
        submit_label=titles[act][1],
        back=reverse("registry-desk"),
        crumbs=[_registries(), _desk()],
        aside=asides[act],
    )


def _file(public_id: UUID) -> RegistryImport:
    rows = RegistryImport.objects.select_related("registry", "uploaded_by", "decided_by")
    rows = rows.defer("content")
    file = rows.filter(public_id=public_id).first()
    if file is None:
        raise Http404
    return file


def _registries() -> tuple[str, str]:
    return gettext("Registries"), reverse("registries")


def _desk() -> tuple[str, str]:
    return gettext("Desk of registries"), reverse("registry-desk")
