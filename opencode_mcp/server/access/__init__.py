"""Access rules for callers: directories, sessions, operations."""
