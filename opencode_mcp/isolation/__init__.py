"""Git worktrees in which runs work apart from a person's checkout, and the ways to bring their changes back."""
