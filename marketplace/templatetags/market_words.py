"""Tables behind market_ui: units, tax marks, and which tone a state is shown in."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

UNITS: dict[str, str | Promise] = {
    "vcpu_hour": _("vCPU·h"),
    "core_hour": _("core·h"),
    "card_hour": _("card·h"),
    "scu_hour": _("PFLOP/s·h"),
    "hour": pgettext_lazy("unit of time", "h"),
    "card": pgettext_lazy("unit of quantity", "cards"),
    "core": pgettext_lazy("unit of quantity", "cores"),
    "order": pgettext_lazy("unit of quantity", "orders"),
    "kwh": "kWh",
    "mwh": "MWh",
    "kgco2e": "kgCO₂e",
    "tco2e": "tCO₂e",
    "gco2e": "gCO₂e",
    "ms": "ms",
    "gbps": "Gbit/s",
    "gb": "GB",
    "percent": "%",
}

TAX_MARKS: dict[str, str | Promise] = {
    "exclusive": pgettext_lazy("tax", "excl. VAT"),
    "inclusive": pgettext_lazy("tax", "incl. VAT"),
}

BADGE_ICONS = {
    "neutral": "circle-dashed",
    "info": "info-circle",
    "accent": "player-record",
    "success": "circle-check",
    "warning": "alert-triangle",
    "danger": "circle-x",
}

_TONES = {
    "neutral": (
        "draft scheduled planned pending queued new archived expired withdrawn released used_up "
        "recalled inactive void superseded unmetered retired hard_closed"
    ),
    "info": (
        "submitted frozen clearing cleared verified verifying under_review review applied "
        "requested issued sent placed metering running computed closed gate_closed rated "
        "in_progress answered entered release_asked proposed soft_closed ordered red_requested"
    ),
    "accent": "open gate_open live active_now no_cancel",
    "success": (
        "published settled active approved accepted fully_accepted delivered confirmed paid "
        "posted completed matched captured ok succeeded admitted reconciled final filled settling "
        "lodged recovered ruled finished in_force signed"
    ),
    "warning": (
        "partly_accepted partially_accepted partly_filled paused late short disputed on_hold "
        "overdue suspended awaiting waiting awaiting_delivery awaiting_confirmation ready halted "
        "estimated draining opened objected returned"
    ),
    "danger": (
        "rejected paradoxically_rejected cancelled canceled failed refused lost blocked "
        "unbalanced declared taken defaulted revoked missing invalid parked quarantined"
    ),
}

STATE_TONES = {code: tone for tone, codes in _TONES.items() for code in codes.split()}
