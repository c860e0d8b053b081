"""Calling any operation of OpenCode's API for a caller: allowed, fenced, bounded, and without its secrets."""
