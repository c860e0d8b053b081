"""Tests of the transport over HTTP: the web server, its checks, and the sessions of the 2025 era."""
