"""Rules for the arguments of operations that name places, sessions and permissions: the type for both generations.

``v1/argument_rules.py`` and ``v2/argument_rules.py`` have the rules; ``server/access/operation_arguments.py`` applies
them. A place is written as a path into the flat object of arguments: ``destination.directory``, ``events[].data``. A
test walks every argument of the tables of operations and checks that each one whose name looks like a place is listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opencode_mcp.opencode.tables.annotation_types import Effect

Places = Mapping[str, Sequence[str]]
"""Places in the arguments of an operation, by its id."""


def _no_places() -> Places:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentRules:
    """Rules for the arguments of one generation's operations."""

    directories: Places
    """Arguments that name directories which OpenCode opens as projects; they must be listed."""
    own_directories: frozenset[str] = frozenset()
    """Operations whose body has ``location.directory``, for which OpenCode would otherwise choose its own directory."""
    folders: Places
    """Arguments that name folders which must exist inside a listed directory."""
    new_directories: Places
    """Arguments that name directories which are created, so they need not exist."""
    worktrees: Places
    """Arguments that name allowed directories, or worktrees that OpenCode made of an allowed project, at any place."""
    files: Places
    """Arguments that name files and folders of the project."""
    any_address: frozenset[str] = frozenset()
    """Operations whose URLs are not checked: a caller who may change the configuration may name any file in it."""
    new_sessions: Places = field(default_factory=_no_places)
    """Arguments that give a new session its id. With the id of an existing session OpenCode answers with that one."""
    session_keys: Places = field(default_factory=_no_places)
    """Maps whose keys are sessions."""
    projects: Places
    """Arguments that name a project; an allowed directory must belong to it."""
    own_projects: frozenset[str] = frozenset()
    """Operations that, without the argument of the query in ``projects``, answer for all projects of the machine."""
    workspaces: Places = field(default_factory=_no_places)
    """Arguments that name a workspace of the project, besides the ``workspace`` that many operations take."""
    terminals: Places = field(default_factory=_no_places)
    """Arguments that name a terminal of a session; the session must be allowed."""
    rights: Places
    """Arguments that grant permissions to an agent. Only a caller who may change the configuration may use them, since
    they bypass the operator's policy."""
    replaced_rights: Places = field(default_factory=_no_places)
    """Arguments that replace all permissions of a session. Even fewer rules than before can grant something."""
    askers: Places = field(default_factory=_no_places)
    """Arguments that name the tool call, or the MCP server, for which a request is opened. A run waits for a request of
    its tool calls, so a caller could stop the clock of its own run with one."""
    metadata: Places
    """Arguments that write to a session's metadata. Callers may write any key except the bridges' own."""
    records: Places
    """Arguments that hold whole records of sessions. Metadata in them would replace the note of a bridge."""
    effects: Mapping[str, Mapping[str, Effect]] = field(default_factory=dict[str, Mapping[str, Effect]])
    """Arguments that give an operation another effect than its own, if they are true."""
    shell_lines: Places
    """Arguments that are lines for a shell."""
    commands: Mapping[str, tuple[str, str]]
    """Arguments with the name of a slash command and with the text behind it."""
    undo: Mapping[str, Sequence[str]]
    """Operation that undoes, and its arguments that name the first part or message to undo, the strongest first."""
    redo: frozenset[str]
    """Operations that take an undo back."""
