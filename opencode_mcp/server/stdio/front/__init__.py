"""Responses to a host's first requests while the SDK is still being imported."""
