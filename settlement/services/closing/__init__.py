"""Closing the months of the books, and putting right what lies in them."""

from settlement.services.closing.corrections import (
    correction_day,
    post_correction,
    take_back_entry,
)
from settlement.services.closing.periods import (
    ChangeWaits,
    ChecklistOpen,
    EarlierMonthOpen,
    LedgerNotTrusted,
    MonthNotOver,
    hard_close_period,
    reject_period_change,
    reopen_period,
    request_period_change,
    soft_close_period,
)

__all__ = [
    "ChangeWaits",
    "ChecklistOpen",
    "EarlierMonthOpen",
    "LedgerNotTrusted",
    "MonthNotOver",
    "correction_day",
    "hard_close_period",
    "post_correction",
    "reject_period_change",
    "reopen_period",
    "request_period_change",
    "soft_close_period",
    "take_back_entry",
]
