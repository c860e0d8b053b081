"""The installed command end to end: a real OpenCode, both protocol eras, and raw JSON-RPC."""
