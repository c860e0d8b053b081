"""Decide about a shell line that OpenCode runs without permission: it needs what a ``bash`` command of an agent needs.

The bridge applies the operator's policy. Asking a person is the task of ``waiting/shell_permission.py``. A line of the
caller's choice also needs the effect ``execute``: ``AllowedOperations.check_caller_code``.
"""

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opencode_mcp.errors import NotAllowed
from opencode_mcp.runs.requests import permission_policy as requests_policy
from opencode_mcp.runs.requests import shell_policy
from opencode_mcp.text.outside_text import cut

if TYPE_CHECKING:
    from opencode_mcp.options import Decider
    from opencode_mcp.runs.requests.permission_policy import Policy

NAMED = 200
"""Characters of a line that an error quotes."""


def permitted_decider(policy: "Policy", lines: Sequence[str], caller_limit: "Decider" = "allow") -> "Decider":
    """Return who decides about all of some lines.

    Raises:
        NotAllowed: The policy refuses one of them.
    """
    decider = requests_policy.strictest([shell_policy.shell_decider(policy, line, caller_limit) for line in lines])
    if decider == "reject":
        raise NotAllowed(
            f"The permission policy of this MCP server refuses the shell line {quoted(lines)}.",
            hint="Continue without it. A rule for `bash` under `permission_rules` in the settings file can allow it.",
        )
    return decider


def check_unasked(policy: "Policy", lines: Sequence[str], *, asks: bool) -> None:
    """Refuse the shell lines of an operation that only a person may allow: a call of an operation asks no person.

    Args:
        policy: The operator's.
        lines: The lines, as the shell gets them.
        asks: Whether the host can ask a person; if it cannot, the calling agent decides.

    Raises:
        NotAllowed: The policy refuses one of them, or reserves it to a person.
    """
    if permitted_decider(policy, lines) == "human" and asks:
        raise NotAllowed(
            f"A person must allow the shell line {quoted(lines)}, and a call of an operation cannot ask one.",
            hint="Use opencode_shell or opencode_command: they ask the person.",
        )


def visible(text: str) -> str:
    """Return a text in one line, with invisible characters written as escapes."""
    return "".join(letter if _is_seen(letter) else f"\\u{ord(letter):04x}" for letter in text)


def _is_seen(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] != "C" and category not in {"Zl", "Zp"}


def quoted(lines: Sequence[str]) -> str:
    """Return the first of some lines for an error, with invisible characters written as escapes."""
    line = visible(lines[0])
    return repr(cut(line, NAMED))
