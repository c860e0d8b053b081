"""Files of a project: read, search, attach."""
