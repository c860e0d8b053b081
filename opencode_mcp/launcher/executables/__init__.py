"""The installed OpenCode programs: finding them, their versions, the command that starts a server."""
