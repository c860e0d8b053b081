"""The process that stops a started OpenCode when no bridge uses it any more."""
