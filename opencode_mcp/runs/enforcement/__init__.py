"""Tasks that keep to what was asked for a run, also while nobody waits: its limits, and its verification."""
