"""The table of OpenCode's operations, and what is known of each."""
