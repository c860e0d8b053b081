"""MCP prompts: the own ones, and the slash commands of OpenCode."""
