"""MCP's stdio transport."""
