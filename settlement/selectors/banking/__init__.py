"""Bank, payouts, statements and tax invoices: what is read of them."""
