"""Disputes and vouchers for programs."""
