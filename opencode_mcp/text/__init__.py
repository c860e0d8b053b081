"""Texts from outside, made safe to show, and JSON. Pure."""
