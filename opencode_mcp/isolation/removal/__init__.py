"""Ways to remove a worktree, and what is kept of its work."""
