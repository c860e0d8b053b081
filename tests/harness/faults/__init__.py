"""Faults that a test causes: of connections, replies, disks and files."""
