"""Layer 1: speaks OpenCode's HTTP; knows no MCP."""
