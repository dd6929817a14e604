"""The bank, payouts, monthly statements and tax invoices, for programs."""
