"""Unified patches: parse, merge and shorten; and whose a change is. Pure."""
