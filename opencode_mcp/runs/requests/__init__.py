"""Permissions and questions that OpenCode waits for, and the rules for answering them."""
