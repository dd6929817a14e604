"""Pages of disputes, vouchers, defaults and security deposits."""
