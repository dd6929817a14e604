"""Notices: members read them, the operator writes them."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.domain.errors import RuleBroken
from marketplace.models import Notice, NoticeAudience, Organisation, Role
from marketplace.selectors.notices import notices_for
from marketplace.selectors.organisations import members
from marketplace.services.notices import LONGEST_TEXT, LONGEST_TITLE, publish_notice
from marketplace.templatetags.market_ui import aside, localname
from marketplace.web.access import current_actor, require_member, require_operator
from marketplace.web.form_fields import add_refusal

PAGE_SIZE = 20
AREA = {"rows": 6}


class MemberChoiceField(forms.ModelChoiceField):
    """Chooses a member by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return name and member code."""
        return localname(obj) + aside(obj.code)


class NoticeForm(forms.Form):
    """A notice in both languages, and whom it is for."""

    audience = forms.ChoiceField(label=_("For"), choices=NoticeAudience.choices)
    role = forms.ChoiceField(
        label=_("Role"),
        required=False,
        choices=[("", "–"), *Role.choices],
        help_text=_("Only for people with one role."),
    )
    organisation = MemberChoiceField(
        label=_("Member"),
        required=False,
        queryset=Organisation.objects.none(),
        help_text=_("Only for one member."),
    )
    title_zh = forms.CharField(label=_("Chinese title"), max_length=LONGEST_TITLE)
    body_zh = forms.CharField(
        label=_("Chinese text"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs=AREA)
    )
    title_en = forms.CharField(label=_("English title"), max_length=LONGEST_TITLE)
    body_en = forms.CharField(
        label=_("English text"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs=AREA)
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["organisation"].queryset = members()  # type: ignore[attr-defined]


@require_member
@require_safe
def list_notices(request: HttpRequest) -> HttpResponse:
    """Show the notices for this person, newest first."""
    actor = current_actor(request)
    page = Paginator(notices_for(actor), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": [_described(notice) for notice in page.object_list],
        "may_write": actor.is_operator,
        "result_text": gettext("%(count)s notices") % {"count": page.paginator.count},
    }
    return render(request, "marketplace/notices.html", context)


@require_member
@require_safe
def show_notice(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one notice; what is for somebody else is not found."""
    notice = get_object_or_404(notices_for(current_actor(request)), public_id=public_id)
    context = {
        **_described(notice),
        "crumbs": [(gettext("Notices"), reverse("notices"))],
    }
    return render(request, "marketplace/notice.html", context)


@require_operator
@require_http_methods(["GET", "HEAD", "POST"])
def write_notice(request: HttpRequest) -> HttpResponse:
    """Take in a notice in both languages; once published it stays."""
    form = NoticeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            notice = publish_notice(actor=current_actor(request), **form.cleaned_data)
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("The notice is published."))
            return redirect("notice", public_id=notice.public_id)
    context = {
        "form": form,
        "submit_label": gettext("Publish the notice"),
        "cancel_url": reverse("notices"),
        "crumbs": [(gettext("Notices"), reverse("notices"))],
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/notice_form.html", context, status=status)


def _described(notice: Notice) -> dict[str, Any]:
    chinese = (get_language() or "").startswith("zh")
    return {
        "notice": notice,
        "title": notice.title_zh if chinese else notice.title_en,
        "body": notice.body_zh if chinese else notice.body_en,
        "audience": _audience(notice),
        "url": reverse("notice", args=[notice.public_id]),
    }


def _audience(notice: Notice) -> str:
    if notice.audience == NoticeAudience.ORGANISATION and notice.organisation:
        return str(localname(notice.organisation))
    if notice.audience == NoticeAudience.ROLE:
        return str(notice.get_role_display())
    return str(notice.get_audience_display())
