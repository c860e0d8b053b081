"""Bridges that a test starts, and their clients."""
