"""Tests of the names and outcomes in the request logs."""
