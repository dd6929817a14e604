"""What requests about money are called on a page."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

REQUEST_STATES: dict[str, str | Promise] = {
    "entered": _("Waiting for a second person"),
    "approved": pgettext_lazy("request", "Approved"),
    "rejected": pgettext_lazy("request", "Rejected"),
}


def request_state_text(state: str) -> str:
    """Return the state of a receipt, limit or withdrawal in words."""
    return str(REQUEST_STATES.get(state, state))
