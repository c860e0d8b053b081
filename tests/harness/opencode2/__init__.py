"""OpenCode 2 for tests: the preview engine behind a proxy with the released contract, and a stand-in."""
