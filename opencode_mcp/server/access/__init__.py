"""What a caller may reach: directories, sessions, operations."""
