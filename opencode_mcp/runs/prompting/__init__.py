"""A prompt before it is sent: its parts, its checks and its id."""
