"""Titles that OpenCode gives to sessions before it has made one from the prompt. Pure."""

import re

DEFAULT_TITLE = re.compile(r"(New|Child) session - \d{4}-")


def made_title(title: str) -> str:
    """Return a title that was made for the session; empty if it is the one that every new session gets."""
    return "" if DEFAULT_TITLE.match(title) else title
