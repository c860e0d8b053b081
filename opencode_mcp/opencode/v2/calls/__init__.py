"""Calls of OpenCode 2 by their subject; ``adapter.py`` puts them together."""
