"""Agreements in plain words, and the desk where one person proposes and another decides."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.periods import market_date
from marketplace.permissions import Actor
from marketplace.selectors.clock import market_now
from marketplace.templatetags.market_ui import localname
from marketplace.web.access import current_actor, require
from marketplace.web.stepping_up import require_confirmation
from settlement.models import (
    AgreementStatus,
    AgreementVersion,
    AgreementVersionState,
    InstrumentType,
    RecognitionAgreement,
)
from settlement.selectors.recognition.agreements import (
    agreement_face,
    agreement_faces,
    agreements_seen,
)
from settlement.selectors.recognition.records import sees_all
from settlement.services.recognition.agreements import (
    AgreementDraft,
    decide_version,
    propose_agreement,
    propose_status,
    propose_version,
)
from settlement.services.recognition.terms import conservative_terms
from settlement.web.cases.acting import confirm_page, enter_page
from settlement.web.funds_forms import DecisionForm
from settlement.web.recognition.forms import AgreementForm, ReasonForm, TermsForm, initial_terms
from settlement.web.recognition.overview_pages import require_reader
from settlement.web.recognition.words import cap_line, conditions, type_names

STATUSES = {"suspend": AgreementStatus.SUSPENDED, "resume": AgreementStatus.ACTIVE}


def keeps_agreements(actor: Actor) -> bool:
    """Tell whether the actor may propose and decide agreements."""
    return actor.is_platform_finance or actor.is_operator


require_keeper = require(keeps_agreements)


@require_reader
@require_safe
def list_agreements(request: HttpRequest) -> HttpResponse:
    """Show every agreement with its conditions and what is used of its cap."""
    actor = current_actor(request)
    faces = agreement_faces(market_date(market_now()), party=_party(actor))
    context = {
        "faces": [_described(face) for face in faces],
        "can_propose": keeps_agreements(actor),
        "is_desk": sees_all(actor),
        "crumbs": _home(),
    }
    return render(request, "settlement/recognition/agreements.html", context)


@require_reader
@require_safe
def show_agreement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one agreement: conditions, caps, every version with its two persons."""
    actor = current_actor(request)
    agreement = get_object_or_404(agreements_seen(), public_id=public_id)
    face = agreement_face(agreement, market_date(market_now()), party=_party(actor))
    versions = agreement.versions.select_related("proposed_by", "decided_by").order_by("-number")
    if not sees_all(actor):
        versions = versions.filter(state=AgreementVersionState.APPROVED)
    shown = face.version or (face.proposal if sees_all(actor) else None)
    is_suspended = bool(face.version and face.version.status == AgreementStatus.SUSPENDED)
    context = {
        "face": face,
        "agreement": agreement,
        "conditions": conditions(shown) if shown else [],
        "versions": [{"one": one, "caps": cap_line(one)} for one in versions],
        "is_desk": sees_all(actor),
        "can_change": keeps_agreements(actor) and face.proposal is None,
        "can_decide": keeps_agreements(actor)
        and face.proposal is not None
        and face.proposal.proposed_by_id != actor.user.pk,
        "is_suspended": is_suspended,
        "crumbs": [*_home(), (gettext("Agreements"), reverse("recognition-agreements"))],
    }
    return render(request, "settlement/recognition/agreement.html", context)


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def propose_new(request: HttpRequest) -> HttpResponse:
    """Propose a new agreement."""
    actor = current_actor(request)
    today = market_date(market_now())
    defaults = conservative_terms(instrument_type=InstrumentType.SINK_REMOVAL, on=today)
    form = AgreementForm(request.POST or None, initial=initial_terms(defaults))

    def run(given: dict[str, Any]) -> AgreementVersion:
        draft = AgreementDraft(
            code=given["code"],
            name_zh=given["name_zh"],
            name_en=given["name_en"],
            from_registry=given["from_registry"].code,
            to_scheme=given["to_scheme"].code,
        )
        return propose_agreement(
            actor=actor, draft=draft, terms=form.terms(), reason=given["reason"]
        )

    return _entered(request, form, run, gettext("Propose an agreement"))


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def propose_change(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Propose changed terms as the next version."""
    actor = current_actor(request)
    agreement = get_object_or_404(RecognitionAgreement, public_id=public_id)
    newest = agreement.versions.order_by("-number").first()
    if newest is None:
        raise Http404
    form = TermsForm(request.POST or None, initial=initial_terms(newest))

    def run(given: dict[str, Any]) -> AgreementVersion:
        return propose_version(
            actor=actor,
            agreement_public_id=public_id,
            terms=form.terms(),
            reason=given["reason"],
        )

    title = gettext("Propose a change of %(code)s") % {"code": agreement.code}
    return _entered(request, form, run, title)


@require_keeper
@require_http_methods(["GET", "HEAD", "POST"])
def propose_rest(request: HttpRequest, public_id: UUID, verb: str) -> HttpResponse:
    """Propose to suspend an agreement or to take it up again."""
    actor = current_actor(request)
    agreement = get_object_or_404(RecognitionAgreement, public_id=public_id)
    titles = {
        "suspend": gettext("Propose to suspend %(code)s"),
        "resume": gettext("Propose to take up %(code)s again"),
    }
    return _entered(
        request,
        ReasonForm(request.POST or None),
        lambda given: propose_status(
            actor=actor,
            agreement_public_id=public_id,
            status=STATUSES[verb],
            reason=given["reason"],
        ),
        titles[verb] % {"code": agreement.code},
    )


@require_keeper
@require_confirmation
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, public_id: UUID, verdict: str) -> HttpResponse:
    """Approve or refuse a proposed version of somebody else."""
    actor, approve = current_actor(request), verdict == "approve"
    rows = AgreementVersion.objects.select_related("agreement", "proposed_by")
    version = get_object_or_404(rows, public_id=public_id)
    return confirm_page(
        request,
        form=DecisionForm(request.POST or None, is_required=not approve),
        run=lambda given: decide_version(
            actor=actor, version_public_id=public_id, approve=approve, reason=given["reason"]
        ),
        question=gettext("Approve this version?") if approve else gettext("Refuse this version?"),
        text=gettext("It counts at once; what was recognised before stays under its old version.")
        if approve
        else gettext("Nothing changes."),
        confirm_label=gettext("Approve") if approve else gettext("Refuse"),
        danger=not approve,
        lines=[
            (gettext("Agreement"), f"{version.agreement.code} v{version.number}"),
            (gettext("Status"), str(version.get_status_display())),
            (gettext("Proposed by"), str(version.proposed_by)),
            (gettext("Reason"), version.reason),
            *conditions(version),
        ],
        back=reverse("recognition-agreement", args=[version.agreement.public_id]),
    )


def _entered(request: HttpRequest, form: Any, run: Any, title: str) -> HttpResponse:
    return enter_page(
        request,
        form=form,
        run=run,
        title=title,
        submit_label=gettext("Propose"),
        back=reverse("recognition-agreements"),
        crumbs=[*_home(), (gettext("Agreements"), reverse("recognition-agreements"))],
        aside=gettext("Another person decides. A change never touches what was recognised before."),
        done=gettext("Proposed; another person must decide it now."),
        success_url=lambda version: reverse(
            "recognition-agreement", args=[version.agreement.public_id]
        ),
    )


def _described(face: Any) -> dict[str, Any]:
    version = face.version or face.proposal
    return {
        "face": face,
        "names": type_names(version.instrument_types) if version else "",
        "caps": cap_line(version) if version else "",
        "from": localname(face.agreement.from_registry),
        "to": localname(face.agreement.to_scheme),
    }


def _party(actor: Actor) -> Any:
    return None if sees_all(actor) else actor.organisation


def _home() -> list[tuple[str, str]]:
    return [(gettext("Mutual recognition"), reverse("recognition"))]
