"""Tests of checkouts that cannot be read or written."""
