"""Pure rules of disputes, vouchers and defaults."""
