"""Tests of the search for the installed OpenCode."""
