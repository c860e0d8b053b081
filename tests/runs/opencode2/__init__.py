"""Runs on OpenCode 2, where they differ from those on OpenCode 1."""
