"""MCP resources: their list, their content, and completions."""
