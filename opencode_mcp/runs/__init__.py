"""Layer 3: the life of a prompt; knows no MCP."""
