"""Corruptions of valid results, by rule; written from the contract alone, without the verifier."""
