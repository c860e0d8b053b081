"""Unified patches: read, merged and shortened. Pure."""
