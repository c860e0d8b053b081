"""Modes of files and folders that only their owner may use."""

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
