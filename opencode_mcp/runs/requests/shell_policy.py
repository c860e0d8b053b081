"""Policy for a shell line: the rules for ``bash``, applied to each simple command of it.

Pure. A rule that allows ``git status*`` must not allow ``git status; rm -rf .``, so a line is taken apart wherever any
shell could, also inside of quotes, and the strictest decider of all parts holds. What cannot be taken apart for certain
(expansions, redirections, groups, escapes) is decided by the strictest of all rules.
"""

import re

from opencode_mcp.options import Decider
from opencode_mcp.runs.requests.permission_policy import Policy, strictest

PERMISSION = "bash"
HARMLESS = re.compile(r"(?<!\S)(?:2>&1|[12]?>\s?/dev/null)(?!\S)")
"""Redirections that change nothing."""
# OpenCode hands a line to the shell as JSON inside double quotes: what is quoted in it is expanded all the same, and
# of a tab the shell gets the letter t.
UNCERTAIN = re.compile("[$`\\\\<>(){}\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
BLANKS = re.compile(" +")
SEPARATORS = re.compile(r"[;&|]+")
BEFORE = re.compile(r"(?:(?:if|then|elif|else|do|while|until|time|!|[A-Za-z_]\w*=\S*)\s+)*")
"""Words of the shell, and settings, that may precede a command."""


def shell_decider(policy: Policy, line: str, caller_limit: Decider = "allow") -> Decider:
    """Return who decides whether a shell line runs.

    Args:
        policy: The operator's.
        line: The line, as the shell gets it.
        caller_limit: The caller's own limit.
    """
    plain = HARMLESS.sub(" ", line)
    patterns = [line.strip(), *simple_commands(plain)]
    decider = policy.decider(PERMISSION, patterns, caller_limit)
    return strictest([decider, policy.strictest(PERMISSION)]) if UNCERTAIN.search(plain) else decider


def simple_commands(line: str) -> list[str]:
    """The simple commands of a line, each as it stands, and without quotes, spaces and words that mean nothing."""
    parts = [part.strip() for part in SEPARATORS.split(line)]
    bare = [_bare(part) for part in parts]
    return [text for text in dict.fromkeys([*parts, *bare]) if text]


def _bare(part: str) -> str:
    unquoted = BLANKS.sub(" ", part.replace('"', "").replace("'", ""))
    begins = BEFORE.match(unquoted)
    return unquoted[begins.end() :] if begins else unquoted
