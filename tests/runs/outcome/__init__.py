"""Tests of the state, the end and the report of a run."""
