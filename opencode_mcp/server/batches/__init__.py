"""Batches of runs: queued by a tool, started when there is room, followed, and reported as a table."""
