"""Tests of the launcher with OpenCode 2, where it differs from OpenCode 1."""
