"""JSON with comments and trailing commas, as OpenCode reads its configuration. Pure, and linear in the text."""

import re

from opencode_mcp.text.json_text import read_json

# A string, a comment or a comma needs no end to be matched, so no text makes the search start over.
COMMENT = re.compile(r'("(?:[^"\\]|\\.)*"?)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
TRAILING = re.compile(r'("(?:[^"\\]|\\.)*"?)|,(?=\s*[}\]])', re.DOTALL)


def read_jsonc(text: str) -> object:
    """Read a configuration file's text.

    Raises:
        ValueError: It is not JSON even without comments and trailing commas.
    """
    return read_json(TRAILING.sub(_string, COMMENT.sub(_string, text)))


def _string(match: re.Match[str]) -> str:
    return match[1] or ""
