"""HTTP to OpenCode: addresses, requests, replies and their errors, limits, terminals."""
