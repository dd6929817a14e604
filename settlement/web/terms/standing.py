"""What the pages of terms and rules share: who reads them, their layout, how a rule stands."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from marketplace.web.access import require
from settlement.web.banking.tables import Cell, Page, Table

# Everybody who is signed in: the decorator asks for that itself.
require_signed_in = require(lambda actor: True)


def show_page(request: HttpRequest, page: Page, *, wide: Sequence[Table]) -> HttpResponse:
    """Draw a page with its widest tables across the top."""
    return render(request, "settlement/terms/page.html", {"page": page, "wide": wide})


def standing_cell(standing: str) -> Cell:
    """Return the badge of `in_force`, `coming` or `past`."""
    if standing == "in_force":
        return Cell(gettext("In force"), badge="active")
    if standing == "coming":
        return Cell(gettext("to come"), badge="scheduled")
    return Cell(gettext("Past"), badge="archived")
