"""``opencode-mcp doctor``: check what works, and say what to do about the rest."""
