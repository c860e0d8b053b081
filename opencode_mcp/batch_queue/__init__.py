"""Batches of tasks: a queue in a file that the bridges of one user share. The package knows nothing of OpenCode."""
