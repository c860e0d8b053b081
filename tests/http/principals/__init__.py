"""Tests of principals: their tokens, rights and limits, and the settings file."""
