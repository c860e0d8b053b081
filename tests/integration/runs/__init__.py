"""Runs: prompts, commands and shell lines, their progress, their end and their reports."""
