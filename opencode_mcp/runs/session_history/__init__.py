"""History of a session: its own messages, the changes of its files, its last run, and what it spent."""
