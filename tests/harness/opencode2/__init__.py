"""OpenCode 2 for tests: the preview engine behind a proxy that speaks the released contract, and a stand-in."""
