"""MCP prompts: our own, and OpenCode's slash commands."""
