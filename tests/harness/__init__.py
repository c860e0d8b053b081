"""The base of the tests: a real OpenCode, the installed bridge, raw JSON-RPC, and the faults between them."""
