"""The page that offers an entry which was sent after the session had ended."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from marketplace.web.drafts import drop_draft, kept_draft


@login_required
@require_safe
def offer_draft(request: HttpRequest) -> HttpResponse:
    """Offer to send the kept entry on; without one, lead home."""
    draft = kept_draft(request)
    if draft is None:
        return redirect("/")
    return render(request, "marketplace/draft.html", {"draft": draft})


@login_required
@require_POST
def discard_draft(request: HttpRequest) -> HttpResponse:
    """Forget the kept entry."""
    drop_draft(request)
    messages.info(request, gettext("The entry is discarded."))
    return redirect("/")
