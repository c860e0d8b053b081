"""Servers on loopback that a test starts: OpenCode, its model, and others that these need."""
