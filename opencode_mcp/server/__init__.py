"""Layer 4: speaks MCP; knows no HTTP to OpenCode."""
