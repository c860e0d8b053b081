"""Git in a recorded repository: its process, trees, merges and files. No other program runs."""
