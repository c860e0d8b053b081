"""Waits for runs, during a call or as a task: progress, forms, deadlines."""
