"""Tests against a real OpenCode with a scripted model; the folders mirror the package."""
