"""The life of an auction in one place to look: made, opened, closed, driven on, stepped into.

How each step works stands in `docs/explanation/auction-life-cycle.md`.
"""

from orders.services.calendars import create_due_auctions, ensure_default_calendars
from orders.services.freezing import freeze_book
from orders.services.gates import close_gate, open_auction
from orders.services.interventions import cancel_auction, halt_auction, resume_auction
from orders.services.leases import claim_due_auctions
from orders.services.progress import advance_auction
from orders.services.publication import hand_to_settlement

__all__ = [
    "advance_auction",
    "cancel_auction",
    "claim_due_auctions",
    "close_gate",
    "create_due_auctions",
    "ensure_default_calendars",
    "freeze_book",
    "halt_auction",
    "hand_to_settlement",
    "open_auction",
    "resume_auction",
]
