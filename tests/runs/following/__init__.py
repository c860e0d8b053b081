"""Tests of following a run to its end."""
