"""Enforcement of the limits of runs, also while nobody waits for them."""
