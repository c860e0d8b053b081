"""Tokens that clients carry for the bridge: sealed state, and tickets for one use."""
