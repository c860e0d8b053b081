"""The start of a run: the checked arguments, its worktree, and notes on its prompt."""
