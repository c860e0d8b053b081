"""Tests of what a new user does first: the jobs of the tool descriptions, the skill and the status."""
