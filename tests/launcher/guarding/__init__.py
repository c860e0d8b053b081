"""Tests of the process that stops a started OpenCode."""
