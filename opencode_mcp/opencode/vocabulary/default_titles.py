"""Titles of sessions that say nothing: OpenCode's own before it has made one, and the beginning of the prompt. Pure."""

import re

DEFAULT_TITLE = re.compile(r"(New|Child) session - \d{4}-")


def made_title(title: str) -> str:
    """Return a title that was made for the session; empty if it is the one that every new session gets."""
    return "" if DEFAULT_TITLE.match(title) else title


def without_repetition(title: str, prompt: str) -> tuple[str, str]:
    """Return a title and the first words of a prompt; of two that begin alike, the one that says less is empty."""
    plain_title, plain_prompt = _plain(title), _plain(prompt)
    if plain_title.startswith(plain_prompt):
        return title, ""
    return ("" if plain_prompt.startswith(plain_title) else title), prompt


def _plain(text: str) -> str:
    """Return a text without case, line ends and the dots of what is cut."""
    return " ".join(text.split()).rstrip(".…").casefold()
