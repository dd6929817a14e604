"""Readers of foreign formats: price lists and job traces, turned into plain values."""
