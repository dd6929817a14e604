"""Disputes, vouchers, defaults and what stands behind a member."""
