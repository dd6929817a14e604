"""Bank, payouts, statements and tax invoices: what people do with them."""
