"""Metrics for Prometheus: what they count, and the address at which they are read."""
