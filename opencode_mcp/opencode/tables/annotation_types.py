"""Annotation of one operation: the type that the tables of both generations of OpenCode share.

The operator allows or refuses operations by their effect:

- ``read`` only reads.
- ``write`` changes a session or what is shown, and runs nothing.
- ``execute`` runs a command, a model or a tool, or lets a waiting one go on. An operation that writes files of the
  caller's choice has this effect too: OpenCode's configuration, plugins and commands and git's hooks are files, and
  they decide what runs next and what OpenCode asks permission for.
- ``admin`` changes configuration, credentials, providers, MCP servers or the server's life, publishes, or exists to
  answer with a secret.

What removes, changes or ends something has the effect of what creates it: a caller who may create no terminal or
worktree finds only those of other people. The exceptions make something safer: to abort a run, to refuse a request and
to end the publication of a session are ``write``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Effect = Literal["read", "write", "execute", "admin"]
Group = Literal[
    "sessions",
    "messages",
    "files",
    "search",
    "requests",
    "project",
    "vcs",
    "worktrees",
    "providers",
    "config",
    "mcp",
    "terminal",
    "tui",
    "events",
    "system",
]


class Annotation(NamedTuple):
    """Annotations of one operation; ``operation_table.Operation`` explains each field."""

    group: Group
    effect: Effect
    hints: str = ""
    note: str = ""
    destructive: bool = False
    headers: Mapping[str, str] = MappingProxyType({})
