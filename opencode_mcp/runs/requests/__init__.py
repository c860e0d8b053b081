"""Permissions and questions that OpenCode waits for: their texts, and the rules that say who answers."""
