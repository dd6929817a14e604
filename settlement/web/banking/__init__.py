"""Pages of the bank, payouts, monthly statements and tax invoices."""
