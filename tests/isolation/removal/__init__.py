"""Tests of the removal of worktrees, and of the work that is kept."""
