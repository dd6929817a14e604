"""Registering a resource pool."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from marketplace.domain.errors import RuleBroken
from marketplace.services.pools import register_pool
from marketplace.web.access import current_actor, require_supplier
from marketplace.web.form_fields import add_refusal
from marketplace.web.pool_forms import PoolForm


@require_supplier
@require_http_methods(["GET", "HEAD", "POST"])
def add_pool(request: HttpRequest) -> HttpResponse:
    """Take in a pool; the page after it shows the identifier it was given."""
    form = PoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            pool = register_pool(actor=current_actor(request), **form.details())
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            text = gettext("The pool is registered. Its resource identifier is %(identifier)s.")
            messages.success(request, text % {"identifier": pool.identifier})
            return redirect("pool", identifier=pool.identifier)
    context = {
        "form": form,
        "cancel_url": reverse("pools"),
        "submit_label": gettext("Register the pool"),
        "crumbs": [
            (gettext("My capacity"), reverse("capacity")),
            (gettext("Resource pools"), reverse("pools")),
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/capacity_pool_form.html", context, status=status)
