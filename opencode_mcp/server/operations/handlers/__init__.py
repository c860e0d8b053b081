"""Handlers of operations that need more than a plain call, a module for each kind, and their table."""
