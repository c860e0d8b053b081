"""Costs of the work: of sessions, and of a period."""
