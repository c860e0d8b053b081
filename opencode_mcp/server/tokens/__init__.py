"""Tokens that clients return to the bridge: encrypted state, and tickets for one use."""
