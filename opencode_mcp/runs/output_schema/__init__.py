"""The caller's schema of a structured answer, and the check of an answer against it."""
