"""Following a run from its prompt to its end: reading, progress, corrections, and verification."""
