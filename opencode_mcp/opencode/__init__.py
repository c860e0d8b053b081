"""OpenCode's HTTP API: transport, codec, typed client, operations."""
