"""Waiting for a run during a call or as a task: progress, forms, time limits."""
