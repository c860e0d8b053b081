"""Find, start, share and stop OpenCode servers."""
