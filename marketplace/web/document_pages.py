"""Documents that a member hands in: list, upload, download, and the operator's check."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.document_files import MAX_BYTES
from marketplace.domain.errors import NotFound, RuleBroken
from marketplace.models import DocumentKind, DocumentState, Organisation, OrganisationDocument, Role
from marketplace.permissions import Actor
from marketplace.selectors.evidence import document_for, documents_of
from marketplace.selectors.organisations import pools_of
from marketplace.services.documents import decide_document, hand_in_document
from marketplace.templatetags.market_ui import localname
from marketplace.web.access import (
    acting_organisation,
    current_actor,
    require,
    require_operator,
)
from marketplace.web.capacity_pages import capacity_tabs
from marketplace.web.form_fields import add_refusal

PAGE_SIZE = 20


def hands_in(actor: Actor) -> bool:
    """Tell whether the actor keeps documents of a member or an applicant."""
    organisation = actor.organisation
    return (
        organisation is not None
        and not organisation.is_platform
        and actor.has(Role.SUPPLIER, Role.BUYER, Role.FINANCE)
    )


def reads_documents(actor: Actor) -> bool:
    """Tell whether the actor may read its own documents, or everybody's for the operator."""
    return actor.is_operator or hands_in(actor)


require_hander_in = require(hands_in)
require_document_reader = require(reads_documents)


class DocumentForm(forms.Form):
    """One file with what it proves."""

    kind = forms.ChoiceField(label=_("Kind"), choices=DocumentKind.choices)
    pool = forms.ChoiceField(label=_("Resource pool"), required=False)
    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, PNG or JPEG, at most 5 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
        error_messages={"empty": _("The file is empty.")},
    )

    def __init__(self, *args: Any, owner: Organisation, **more: Any) -> None:
        super().__init__(*args, **more)
        pools = pools_of(owner)
        self.fields["pool"].choices = [  # type: ignore[attr-defined]
            ("", pgettext_lazy("document", "The organisation as a whole")),
            *((pool.identifier, f"{localname(pool)} · {pool.identifier}") for pool in pools),
        ]


class DecisionForm(forms.Form):
    """What the operator found."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[("accept", _("Accept the document")), ("refuse", _("Refuse the document"))],
        widget=forms.RadioSelect,
        initial="accept",
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=300,
        help_text=_("Needed for a refusal; the member reads it."),
    )


@require_hander_in
@require_http_methods(["GET", "HEAD", "POST"])
def list_documents(request: HttpRequest) -> HttpResponse:
    """Show the documents handed in, and take in another one."""
    owner = acting_organisation(request)
    wanted = {"kind": request.GET.get("kind", ""), "pool": request.GET.get("pool", "")}
    form = DocumentForm(request.POST or None, request.FILES or None, owner=owner, initial=wanted)
    if request.method == "POST" and form.is_valid() and _store(request, form):
        return redirect("documents")
    found = documents_of(owner)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page_obj": page,
        "sells": current_actor(request).can_sell,
        "tabs": capacity_tabs("documents"),
        "result_text": gettext("%(count)s documents") % {"count": page.paginator.count},
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/documents.html", context, status=status)


def _store(request: HttpRequest, form: DocumentForm) -> bool:
    given = form.cleaned_data
    file = given["file"]
    try:
        hand_in_document(
            actor=current_actor(request),
            kind=given["kind"],
            name=file.name,
            data=file.read(MAX_BYTES + 1),
            pool_identifier=given["pool"],
        )
    except RuleBroken as error:
        add_refusal(form, error)
        return False
    messages.success(request, gettext("The document is stored; the operator checks it."))
    return True


@never_cache
@require_document_reader
@require_safe
def download_document(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer a document as a file to save; a browser never shows it inside the portal."""
    document = _find(request, public_id)
    answer = HttpResponse(bytes(document.content), content_type=document.media_type)
    answer["Content-Disposition"] = content_disposition_header(True, document.name) or "attachment"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _find(request: HttpRequest, public_id: UUID) -> OrganisationDocument:
    actor = current_actor(request)
    try:
        return document_for(None if actor.is_operator else actor.organisation, public_id)
    except NotFound:
        raise Http404 from None


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def decide_on_document(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Accept or refuse a document after looking at it."""
    document = _find(request, public_id)
    applicant = reverse("admission", args=[document.organisation.public_id])
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            decide_document(
                actor=current_actor(request),
                public_id=public_id,
                accept=given["decision"] == "accept",
                reason=given["reason"],
            )
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The decision is stored."))
            return redirect(applicant)
    context = {
        "question": gettext("Check this document"),
        "form": form,
        "confirm_label": gettext("Store the decision"),
        "cancel_url": applicant,
        "lines": [
            (gettext("Organisation"), localname(document.organisation)),
            (gettext("Kind"), document.get_kind_display()),
            (gettext("File name"), document.name),
            (gettext("State"), DocumentState(document.state).label),
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)
