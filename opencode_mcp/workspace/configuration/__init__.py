"""The files with which a project configures OpenCode."""
