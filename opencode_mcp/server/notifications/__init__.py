"""Notifications about resources and lists."""
