"""Servers on loopback that a test starts: OpenCode, its model, and what stands around them."""
