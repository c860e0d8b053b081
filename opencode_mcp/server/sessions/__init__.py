"""Sessions for a model: lists and their rows, one session, deletion, and forks."""
