"""Verification of a run: its command, the end of its output that is kept, its result. ``enforcement/`` says when."""
