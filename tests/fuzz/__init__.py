"""A seeded fuzz of the installed bridge over raw JSON-RPC: what is sent, what must come back, what must not happen."""
