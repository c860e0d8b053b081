"""Verification of a run: a command that is run in its directory when it has completed. ``enforcement/`` runs it."""
