"""Reading disputes, vouchers and defaults."""

from settlement.selectors.cases.holds import payout_block

__all__ = ["payout_block"]
