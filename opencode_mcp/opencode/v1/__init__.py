"""OpenCode 1: its operations, and our annotations and descriptions of them."""
