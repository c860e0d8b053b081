"""Principals of the clients: their tokens and rights, and the settings file that holds them."""
