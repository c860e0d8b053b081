"""Bridges that a test starts, and clients that speak to them."""
