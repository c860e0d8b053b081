"""Files with which a project configures OpenCode."""
