"""Worktrees of isolated runs where OpenCode runs on another machine: OpenCode makes and removes them."""
