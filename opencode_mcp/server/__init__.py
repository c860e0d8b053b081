"""Layer 4: the MCP server; it sends no HTTP requests to OpenCode itself."""
