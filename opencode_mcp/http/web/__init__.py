"""Transport of MCP over HTTP: the web server, its checks and limits, and the sessions of the 2025 era."""
