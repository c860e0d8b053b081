"""Transcripts, tool calls and changes as Markdown."""
