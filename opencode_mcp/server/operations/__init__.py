"""Calls of any operation of OpenCode's API, limited to what is allowed and to a size, and without secrets."""
