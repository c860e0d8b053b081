"""Changes of files as sessions show them: their authors, what is not shown, and undos that would take back too much."""
