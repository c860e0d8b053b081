"""Report of a run: what it did and which files it changed, by whom, and which prompts were merged."""
