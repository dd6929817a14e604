"""What an operator may do to an auction: at once, or by asking for a second operator."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from orders.models import AuctionState
from orders.services.control import request_cancellation, request_extension, request_rerun
from orders.services.interventions import RERUN_FROM, halt_auction, resume_auction
from orders.services.run_checks import ask_for_check

RUNNING = frozenset(
    {
        AuctionState.SCHEDULED,
        AuctionState.OPEN,
        AuctionState.CLOSED,
        AuctionState.CLEARED,
        AuctionState.VERIFIED,
    }
)
STOPPED = frozenset({AuctionState.HALTED, AuctionState.PARKED})
PUBLISHED = frozenset({AuctionState.PUBLISHED, AuctionState.SETTLING})
ASKED = _("The request is written down; another operator decides on it.")
ASK = _("Ask for approval")


class ReasonForm(forms.Form):
    """Why the operator steps in; members read it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Members with orders in this auction read it."),
    )


class ExtensionForm(ReasonForm):
    """By how much the gate closes later, and why."""

    minutes = forms.IntegerField(
        label=_("Minutes of market time"), min_value=1, max_value=1440, initial=15
    )
    field_order = ("minutes", "reason")


@dataclass(frozen=True)
class Act:
    """One act: its service, the states it is offered in, and its words."""

    service: Callable[..., object]
    from_states: frozenset[AuctionState]
    question: str
    text: str | Promise
    label: str | Promise
    done: str | Promise
    icon: str
    confirm_label: str | Promise
    danger: bool = False
    form: type[forms.Form] = ReasonForm


ACTS: dict[str, Act] = {
    "halt": Act(
        service=halt_auction,
        from_states=RUNNING,
        question=gettext_noop("Halt the auction %(name)s?"),
        text=_("It takes no orders and no next step until it is resumed or cancelled."),
        label=_("Halt"),
        confirm_label=_("Halt"),
        done=_("The auction is halted."),
        icon="player-pause",
        danger=True,
    ),
    "resume": Act(
        service=resume_auction,
        from_states=STOPPED,
        question=gettext_noop("Resume the auction %(name)s?"),
        text=_("It goes on where it was; a parked auction is frozen and cleared again."),
        label=_("Resume"),
        confirm_label=_("Resume"),
        done=_("The auction goes on."),
        icon="player-play",
    ),
    "extend": Act(
        service=request_extension,
        from_states=frozenset({AuctionState.OPEN, AuctionState.HALTED}),
        question=gettext_noop("Extend the gate of %(name)s?"),
        text=_(
            "Orders are taken longer and stay sealed. A last phase that has begun stays in force."
        ),
        label=_("Extend the gate"),
        confirm_label=ASK,
        done=ASKED,
        icon="clock",
        form=ExtensionForm,
    ),
    "rerun": Act(
        service=request_rerun,
        from_states=frozenset(RERUN_FROM),
        question=gettext_noop("Clear the auction %(name)s again?"),
        text=_(
            "The unpublished result is dropped; the same closed book is cleared as a new version."
        ),
        label=_("Clear again"),
        confirm_label=ASK,
        done=ASKED,
        icon="refresh",
    ),
    "check": Act(
        service=ask_for_check,
        from_states=PUBLISHED,
        question=gettext_noop("Clear the published book of %(name)s once more to compare?"),
        text=_("Nothing published changes: the archived book is cleared again and compared."),
        label=_("Check the result"),
        confirm_label=_("Start the check"),
        done=_("The check is under way; its outcome appears on this page."),
        icon="shield-check",
    ),
    "cancel": Act(
        service=request_cancellation,
        from_states=RUNNING | STOPPED,
        question=gettext_noop("Cancel the auction %(name)s for good?"),
        text=_("Every order in it ends, every hold is released, and no result is published."),
        label=_("Cancel the auction"),
        confirm_label=ASK,
        done=ASKED,
        icon="ban",
        danger=True,
    ),
}
