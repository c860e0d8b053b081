"""What a run did: its answer, its changed files and whose they are, and how it ended."""
