"""JSON with comments and trailing commas, as in OpenCode's configuration. Pure, with linear cost."""

import re

from opencode_mcp.text.json_text import read_json

# A string, a comment or a comma matches without its end, so no text makes the search start again.
COMMENT = re.compile(r'("(?:[^"\\]|\\.)*"?)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
TRAILING = re.compile(r'("(?:[^"\\]|\\.)*"?)|,(?=\s*[}\]])', re.DOTALL)


def read_jsonc(text: str) -> object:
    """Parse the text of a configuration file.

    Raises:
        ValueError: It is not JSON even without comments and trailing commas.
    """
    return read_json(TRAILING.sub(_string, COMMENT.sub(_string, text)))


def _string(match: re.Match[str]) -> str:
    return match[1] or ""
