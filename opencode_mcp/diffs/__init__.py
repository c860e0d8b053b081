"""Unified patches: parse, merge and shorten. Pure."""
