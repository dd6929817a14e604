"""The two shapes of acts on cases: a form that enters something, a question that decides it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from marketplace.domain.errors import RuleBroken
from marketplace.web.form_fields import add_refusal


class NothingAsked(forms.Form):
    """A question without fields; a refusal is shown above it."""


def enter_page(
    request: HttpRequest,
    *,
    form: forms.Form,
    run: Callable[[dict[str, Any]], Any],
    title: str,
    submit_label: str,
    back: str,
    crumbs: Sequence[tuple[str, str]] = (),
    aside: str = "",
    lines: Sequence[tuple[str, str]] = (),
    names: Mapping[str, str] | None = None,
    done: str = "",
    success_url: Callable[[Any], str] | None = None,
) -> HttpResponse:
    """Show a form and, sent, run the act with what was entered.

    Args:
        request: of the page.
        form: bound when the request posts.
        run: the act; what it refuses is shown beside the field.
        title: of the page.
        submit_label: of the button.
        back: where to go afterwards, and to cancel.
        crumbs: the pages above.
        aside: what the reader should know.
        lines: facts shown beside the form.
        names: names of fields by the names that refusals use.
        done: said afterwards.
        success_url: where to go instead, from what the act returned.
    """
    if request.method == "POST" and form.is_valid():
        try:
            result = run(dict(form.cleaned_data))
        except RuleBroken as error:
            add_refusal(form, error, names=names or {})
        else:
            messages.success(request, done or gettext("Done."))
            return redirect(success_url(result) if success_url else back)
    context = {
        "form": form,
        "title": title,
        "submit_label": submit_label,
        "cancel_url": back,
        "crumbs": crumbs,
        "aside_text": aside,
        "lines": lines,
    }
    status = 422 if form.errors else 200
    return render(request, "settlement/cases/form.html", context, status=status)


def confirm_page(
    request: HttpRequest,
    *,
    form: forms.Form,
    run: Callable[[dict[str, Any]], Any],
    question: str,
    text: str,
    confirm_label: str,
    back: str,
    lines: Sequence[tuple[str, str]] = (),
    danger: bool = False,
) -> HttpResponse:
    """Ask before an act and, confirmed, run it."""
    if request.method == "POST" and form.is_valid():
        try:
            run(dict(form.cleaned_data))
        except RuleBroken as error:
            add_refusal(form, error)
        else:
            messages.success(request, gettext("Done."))
            return redirect(back)
    context = {
        "question": question,
        "text": text,
        "confirm_label": confirm_label,
        "danger": danger,
        "form": form,
        "lines": lines,
        "cancel_url": back,
    }
    status = 422 if form.errors else 200
    return render(request, "generic/confirm.html", context, status=status)
