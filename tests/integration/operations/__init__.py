"""Every operation of the seed, called through MCP on a real OpenCode: cases by group, and the world they work in."""
