"""Isolated and verified work, batches, limits, and the command at the end of a run."""
