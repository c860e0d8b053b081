"""OpenCode 2: its operations, and our annotations and descriptions of them."""
