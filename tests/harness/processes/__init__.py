"""Processes of a test: their environment, their output, their end, and what they use."""
