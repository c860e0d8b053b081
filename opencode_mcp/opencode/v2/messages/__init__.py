"""Messages of OpenCode 2 as messages of the vocabulary."""
