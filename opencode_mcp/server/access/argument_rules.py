"""Table of the arguments that name places, sessions and permissions; ``operation_arguments.py`` checks them.

A place is written as a path into the flat object of arguments: ``destination.directory``, ``events[].data``. A test
walks every argument of the table of operations and checks that each one whose name looks like a place is listed here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

Places = Mapping[str, Sequence[str]]

DIRECTORIES: Places = {
    "experimental.controlPlane.moveSession": ["destination.directory"],
    "sync.replay": ["directory"],
    "v2.session.create": ["location.directory"],
}
"""Arguments that name directories which OpenCode opens as projects; they must be listed."""
FOLDERS: Places = {
    "mcp.add": ["config.cwd"],
    "pty.create": ["cwd"],
    "v2.projectCopy.remove": ["directory"],
    "v2.pty.create": ["cwd"],
}
"""Arguments that name folders which must exist inside a listed directory."""
NEW_DIRECTORIES: Places = {"v2.projectCopy.create": ["directory"]}
"""Arguments that name directories which are created, so they need not exist."""
WORKTREES: Places = {"worktree.remove": ["directory"], "worktree.reset": ["directory"]}
"""Arguments that name allowed directories, or worktrees that OpenCode made of an allowed project, at any place."""
FILES: Places = {
    "file.list": ["path"],
    "file.read": ["path"],
    "v2.fs.list": ["path"],
    "v2.fs.read": ["path"],
}
"""Arguments that name files and folders of the project."""
ADDRESS = re.compile(r"ur[il]s?$", re.IGNORECASE)
"""Names of fields that hold a URL. OpenCode opens a ``file:`` URL anywhere on the disk, without permission. Such fields
occur at any depth, also where the table's schemas are cut."""
ANY_ADDRESS = frozenset({"config.update", "global.config.update"})
"""Operations whose URLs are not checked: a caller who may change the configuration may name any file in it."""
SESSIONS = ("sessionID", "parentID", "body.sessionID", "body.properties.sessionID")
"""Arguments of any operation that name a session."""
SESSION_KEYS: Places = {"sync.history.list": ["body"]}
"""Maps whose keys are sessions."""
PROJECTS: Places = {
    "experimental.projectCopy.generateName": ["projectID"],
    "project.directories": ["projectID"],
    "project.update": ["projectID"],
    "v2.permission.saved.list": ["projectID"],
    "v2.projectCopy.create": ["projectID"],
    "v2.projectCopy.refresh": ["projectID"],
    "v2.projectCopy.remove": ["projectID"],
    "v2.session.list": ["project"],
}
"""Arguments that name a project; an allowed directory must belong to it."""
WORKSPACES: Places = {
    "experimental.workspace.remove": ["id"],
    "experimental.workspace.warp": ["id"],
    "session.create": ["workspaceID"],
    "v2.session.create": ["location.workspaceID"],
}
"""Arguments that name a workspace of the project, besides the ``workspace`` that many operations take."""
RIGHTS: Places = {
    "session.create": ["permission"],
    "session.prompt": ["tools"],
    "session.prompt_async": ["tools"],
    "session.update": ["permission"],
    "sync.replay": ["events"],
}
"""Arguments that grant permissions to an agent. Only a caller who may change the configuration may use them, since they
bypass the operator's policy."""
METADATA: Places = {"session.create": ["metadata"], "session.update": ["metadata"]}
"""Arguments that write to a session's metadata. Callers may write any key except the bridges' own."""
RECORDS: Places = {"sync.replay": ["events[].data.info"]}
"""Arguments that hold whole records of sessions. Metadata in them would replace the note of a bridge."""


def addresses_in(arguments: object) -> Iterator[str]:
    """Yield the texts of all fields, at any depth, whose names say that they hold a URL."""
    open_values: list[tuple[object, bool]] = [(arguments, False)]
    while open_values:
        value, named = open_values.pop()
        if isinstance(value, str) and named:
            yield value
        open_values += _inner_values(value, named=named)


def _inner_values(value: object, *, named: bool) -> list[tuple[object, bool]]:
    """Return the values in an object or a list, each with whether it is part of a field that is named like an address.

    Args:
        value: Any value; a text, a number and the like hold none.
        named: Whether the value itself is part of such a field.
    """
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, object]", value)
        return [(item, named or bool(ADDRESS.search(name))) for name, item in fields.items()]
    if isinstance(value, list):
        return [(item, named) for item in cast("list[object]", value)]
    return []


def values_at(arguments: object, place: str) -> Iterator[object]:
    """Yield the values at a place; nothing if the path does not exist."""
    name, _, rest = place.partition(".")
    listed = name.endswith("[]")
    if not isinstance(arguments, Mapping):
        return
    found = cast("Mapping[str, object]", arguments).get(name.removesuffix("[]"))
    items = cast("list[object]", found) if listed and isinstance(found, list) else [found]
    for item in items:
        if rest:
            yield from values_at(item, rest)
        elif item is not None:
            yield item


def texts_at(arguments: Mapping[str, object], places: Sequence[str]) -> list[str]:
    """Return the texts at some places, in their order."""
    return [text for place in places for text in values_at(arguments, place) if isinstance(text, str)]
