"""Event stream of OpenCode, and its distribution to listeners."""
