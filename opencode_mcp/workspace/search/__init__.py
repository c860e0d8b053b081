"""Search in a project: text, symbols and file names."""
