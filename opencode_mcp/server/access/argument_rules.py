"""The arguments of operations that name places, sessions and rights, as data; ``operation_arguments.py`` checks them.

A place is written as a way into the flat object of arguments: ``destination.directory``, ``events[].data``. A test
walks every argument of the table and finds here whatever by its name could lead out of the fence.
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
"""Directories that OpenCode opens as projects: listed ones."""
FOLDERS: Places = {
    "mcp.add": ["config.cwd"],
    "pty.create": ["cwd"],
    "v2.projectCopy.remove": ["directory"],
    "v2.pty.create": ["cwd"],
}
"""Folders that must exist inside a listed directory."""
NEW_DIRECTORIES: Places = {"v2.projectCopy.create": ["directory"]}
"""Directories that are made, so they need not exist."""
WORKTREES: Places = {"worktree.remove": ["directory"], "worktree.reset": ["directory"]}
"""Directories inside the fence, or worktrees that OpenCode made of an allowed project, wherever it keeps them."""
FILES: Places = {
    "file.list": ["path"],
    "file.read": ["path"],
    "v2.fs.list": ["path"],
    "v2.fs.read": ["path"],
}
"""Files and folders of the project."""
ADDRESS = re.compile(r"ur[il]s?$", re.IGNORECASE)
"""How a field is named that holds an address. OpenCode opens a ``file:`` one anywhere on the disk, and asks nobody;
such fields stand at any depth, also where the table's schemas are cut."""
ANY_ADDRESS = frozenset({"config.update", "global.config.update"})
"""Operations whose addresses may be any: who may change the set-up may name any file in it."""
SESSIONS = ("sessionID", "parentID", "body.sessionID", "body.properties.sessionID")
"""Arguments that name a session, in every operation."""
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
"""Arguments that name a project: one that an allowed directory belongs to."""
WORKSPACES: Places = {
    "experimental.workspace.remove": ["id"],
    "experimental.workspace.warp": ["id"],
    "session.create": ["workspaceID"],
    "v2.session.create": ["location.workspaceID"],
}
"""Arguments that name a workspace, beside the ``workspace`` that many take: one of the project's."""
RIGHTS: Places = {
    "session.create": ["permission"],
    "session.prompt": ["tools"],
    "session.prompt_async": ["tools"],
    "session.update": ["permission"],
    "sync.replay": ["events"],
}
"""Arguments that give an agent leave; only who may change the set-up may give it past the operator's policy."""
METADATA: Places = {"session.create": ["metadata"], "session.update": ["metadata"]}
"""What callers may write into a session's record, beside the key that is the bridges' own."""
RECORDS: Places = {"sync.replay": ["events[].data.info"]}
"""Whole records of sessions; one that holds metadata would replace what a bridge has noted there."""
HARMLESS: Mapping[str, str] = {
    "find.files.dirs": "a switch",
    "session.list.path": "only narrows the list, whose rows are looked at one by one",
    "v2.session.list.subpath": "the same",
    "config.update.*": "who may change the set-up may name any file in it",
    "global.config.update.*": "the same",
    "project.update.icon.url": "a picture for people to look at",
    "mcp.add.config.url": "the address of an MCP server, never a file",
    "mcp.add.config.oauth.redirectUri": "an address that a browser returns to",
    "part.update.body.files": "which files an edit has touched",
    "provider.oauth.*": "what a provider's sign-in asks for",
    "*.filename": "how an attachment is called",
    "*.source": "where an attachment is mentioned, and all in it",
    "v2.session.prompt.prompt.files": "attachments, whose addresses are checked",
    "v2.session.revert.stage.files": "a switch",
}
"""Names that look like places and are none, with the reason."""


def addresses_in(arguments: object) -> Iterator[str]:
    """Give the texts of all fields at any depth that are named like an address."""
    open_values: list[tuple[object, bool]] = [(arguments, False)]
    while open_values:
        value, named = open_values.pop()
        if isinstance(value, str) and named:
            yield value
        elif isinstance(value, Mapping):
            fields = cast("Mapping[str, object]", value)
            open_values += [(item, named or bool(ADDRESS.search(name))) for name, item in fields.items()]
        elif isinstance(value, list):
            open_values += [(item, named) for item in cast("list[object]", value)]


def values_at(arguments: object, place: str) -> Iterator[object]:
    """Give what stands at a place; nothing where the way there ends early."""
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
    """The texts at some places, in their order."""
    return [text for place in places for text in values_at(arguments, place) if isinstance(text, str)]
