"""Which cells of a registry's file its page shows, by format."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.models import ImportFormat

# Name of the cell, its head, and how it is written: plain, `code`, or `num`.
SHOWN_CELLS: dict[str, tuple[tuple[str, Any, str], ...]] = {
    ImportFormat.TABLE: (
        ("issuance_id", _("Issue"), ""),
        ("project", _("Project"), ""),
        ("programme", _("Methodology"), ""),
        ("first_serial", _("First serial"), "code"),
        ("last_serial", _("Last serial"), "code"),
        ("units", _("Units"), "num"),
        ("holder", _("Holder"), ""),
    ),
    ImportFormat.VCS: (
        ("serial", _("Serial block"), "code"),
        ("programme", _("Methodology"), ""),
        ("project_name", _("Project"), ""),
        ("issued_on", pgettext_lazy("units", "Issued on"), ""),
        ("adjustment", _("Corresponding adjustment"), ""),
        ("holder", _("Holder"), ""),
    ),
    ImportFormat.CAD_TRUST: (
        ("serialNumberBlock", _("Serial block"), "code"),
        ("projectId", _("Project"), ""),
        ("projectName", _("Name"), ""),
        ("vintageYear", _("Vintage"), ""),
        ("unitCount", _("Units"), "num"),
        ("unitStatus", _("State"), ""),
        ("unitOwner", _("Holder"), ""),
    ),
    ImportFormat.HOURS: (
        ("issuance_id", _("Issue"), ""),
        ("device", _("Device"), ""),
        ("source", _("Energy source"), ""),
        ("starts_at", _("Production from"), ""),
        ("ends_at", _("Production to"), ""),
        ("energy_wh", _("Energy, Wh"), "num"),
        ("holder", _("Holder"), ""),
    ),
}
