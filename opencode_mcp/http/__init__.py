"""MCP over HTTP: the address, the web server, authentication, and one MCP server for each principal."""
