"""Outcome of a run: its state, its end, and the report on both as data."""
