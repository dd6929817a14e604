"""Auctions with known answers: our own by hand and published ones; the page in docs shows them."""
