"""Text that says what the answer "always" to a permission request would cover, and for how long.

OpenCode 1 keeps the answer until it ends, OpenCode 2 saves it with the project.
"""

from collections.abc import Mapping, Sequence

from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import AlwaysLasts

LASTS: Mapping[AlwaysLasts, str] = {
    "until_restart": "until OpenCode ends",
    "for_ever": "permanently, since OpenCode saves it; requests that are open in other sessions are answered too",
}
"""Texts that say how long "always" lasts."""


def always_covers(permission: str, patterns: Sequence[str], lasts: AlwaysLasts = "until_restart") -> str:
    """Return the calls that the answer "always" would allow from then on, in words.

    Args:
        permission: The kind, such as ``bash``, or the tool's name.
        patterns: The patterns that OpenCode would allow; none: it names none.
        lasts: How long OpenCode keeps the answer.
    """
    if not patterns and lasts == "for_ever":
        return "nothing else, since OpenCode names nothing to save"
    if not patterns:
        calls = "the same again"
    elif "*" in patterns:
        calls = f"every call of {permission}, whatever its input"
    else:
        calls = f"every {permission} request that matches {' or '.join(patterns)}"
    return f"{calls}, in every session of the project {LASTS[lasts]}"
