"""Finds, starts, shares and stops OpenCode servers."""
