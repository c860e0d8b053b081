"""Policy for a shell line: the rules for ``bash`` and ``shell``, applied to each simple command of it.

Pure. A caller names a line, or OpenCode 2 asks permission for one: its ``shell`` permission is for a whole line, while
OpenCode 1 asks for the commands of a line one by one (``bash``).

A rule that allows ``git status*`` must not allow ``git status; rm -rf .``, so a line is taken apart wherever any
shell could, also inside of quotes, and the strictest decider of all parts holds. What cannot be taken apart for certain
(expansions, redirections, groups, escapes) is decided by the strictest of all rules.

In a line that OpenCode 2 asks for, the uncertainty alone rejects nothing: most lines of a model contain a redirection
or a variable. Where the strictest of all rules would reject the line, a person decides, unless a rule rejects a part.
"""

import re
from collections.abc import Sequence

from opencode_mcp.diffs.read_only_commands import COMMAND_SEPARATORS
from opencode_mcp.options import Decider
from opencode_mcp.runs.requests.pattern_relations import WILD
from opencode_mcp.runs.requests.permission_policy import Policy, strictest

WHOLE_LINE = "shell"
"""Kind of permission whose patterns are whole lines."""
PERMISSIONS = ("bash", WHOLE_LINE)
"""Kinds of permission for shell commands, in both versions of OpenCode."""
HARMLESS = re.compile(r"(?<!\S)(?:2>&1|[12]?>\s?/dev/null)(?!\S)")
"""Redirections that change nothing."""
# OpenCode hands a line to the shell as JSON inside double quotes: what is quoted in it is expanded all the same, and
# of a tab the shell gets the letter t.
UNCERTAIN = re.compile("[$`\\\\<>(){}\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
BLANKS = re.compile(" +")
ANY_SEPARATORS = re.compile(r"[;&|$`(){}<>\n]+")
"""Separators of simple commands, and those of commands within words and groups."""
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
    deciders: list[Decider] = []
    for name in PERMISSIONS:
        deciders.append(policy.decider(name, patterns, caller_limit))
        if UNCERTAIN.search(plain):
            deciders.append(policy.strictest_of_kind(name))
    return strictest(deciders)


def asked_decider(policy: Policy, permission: str, patterns: Sequence[str], caller_limit: Decider = "allow") -> Decider:
    """Return who answers a permission request, as ``Policy.decider`` does, also for one for whole shell lines.

    If it does not say what it is for, or not in a form that the bridge knows, the strictest rule of its kind decides;
    a person does where that would reject it.
    """
    if not permission or not patterns:
        return strictest([caller_limit, _decider_of_unknown(policy, permission)])
    if permission != WHOLE_LINE:
        return policy.decider(permission, patterns, caller_limit)
    return strictest([caller_limit, *(_line_decider(policy, line) for line in patterns)])


def always_decider(
    policy: Policy, permission: str, patterns: Sequence[str], caller_limit: Decider = "allow"
) -> Decider:
    """Return who may answer "always", as ``Policy.decider_of_covered`` does, also for whole shell lines.

    OpenCode 2 saves the line itself as the pattern. A ``*`` in it, such as that of ``ls *.py``, then fits any text, and
    so any further commands.
    """
    if permission != WHOLE_LINE:
        return policy.decider_of_covered(permission, patterns, caller_limit)
    return strictest([caller_limit, *(_decider_of_saved(policy, pattern) for pattern in patterns)])


def _decider_of_unknown(policy: Policy, permission: str) -> Decider:
    of_any = policy.strictest_of_kind(permission)
    return strictest([policy.default, "human" if of_any == "reject" else of_any])


def _decider_of_saved(policy: Policy, pattern: str) -> Decider:
    return _decider_of_any_line(policy) if WILD.search(pattern) else _line_decider(policy, pattern)


def _decider_of_any_line(policy: Policy) -> Decider:
    """Return the strictest decider of any line."""
    return policy.decider_of_covered(WHOLE_LINE, ["*"])


def _line_decider(policy: Policy, line: str) -> Decider:
    plain = HARMLESS.sub(" ", line)
    patterns = [line.strip(), *simple_commands(plain)]
    if not UNCERTAIN.search(plain):
        return policy.decider(WHOLE_LINE, patterns)
    of_parts = policy.decider(WHOLE_LINE, [*patterns, *simple_commands(plain, ANY_SEPARATORS)])
    of_any = _decider_of_any_line(policy)
    return strictest([of_parts, "human" if of_any == "reject" else of_any])


def simple_commands(line: str, separators: re.Pattern[str] = COMMAND_SEPARATORS) -> list[str]:
    """Return the simple commands of a line, each as it stands, and bare: without quotes, spaces and leading words."""
    parts = [part.strip() for part in separators.split(line)]
    bare = [_bare(part) for part in parts]
    return [text for text in dict.fromkeys([*parts, *bare]) if text]


def _bare(part: str) -> str:
    unquoted = BLANKS.sub(" ", part.replace('"', "").replace("'", ""))
    begins = BEFORE.match(unquoted)
    return unquoted[begins.end() :] if begins else unquoted
