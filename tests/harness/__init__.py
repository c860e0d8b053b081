"""What the tests stand on: a real OpenCode, the installed bridge, raw JSON-RPC, and the faults between them."""
