"""MCP itself: messages, tasks, resources, subscriptions, prompts, completions and bad input."""
