"""A later OpenCode 2, made from the one that the tests drive: a seed chooses what it does otherwise."""
