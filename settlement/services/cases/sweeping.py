"""What is due in disputes, vouchers, defaults and deposits: one sweep, as often as one likes."""

from datetime import datetime

from settlement.services.cases.deposits import return_ended_deposits
from settlement.services.cases.disputes import expire_disputes
from settlement.services.cases.dunning import remind_overdue
from settlement.services.cases.redemption import give_back_due
from settlement.services.cases.vouchers import expire_vouchers


def sweep_cases(now: datetime) -> dict[str, int]:
    """Do what is due at this market time; return how much of each kind was done."""
    return {
        "disputes_expired": expire_disputes(now),
        "vouchers_given_back": give_back_due(now),
        "vouchers_expired": expire_vouchers(now),
        "reminders": remind_overdue(now),
        "deposits_returned": return_ended_deposits(now),
    }
