"""Tests of the OpenCode 2 for tests: its replies and events fit the client of the released contract."""
