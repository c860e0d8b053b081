"""Conversion of OpenCode 2's replies about sessions, agents, models, files and version control to the bridge's types.

Pure. Messages, requests and events have modules of their own. What a newer OpenCode 2 leaves out or writes in another
form is read as if it were missing; an object without its id or name is left out.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import cast

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.v2.messages.message_parts import tokens
from opencode_mcp.opencode.vocabulary.command_source import CommandSource
from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Agent, Command
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff, FileNode
from opencode_mcp.opencode.vocabulary.wire.project_objects import UncommittedFile, Vcs
from opencode_mcp.opencode.vocabulary.wire.providers import Provider, ProviderModel, Providers
from opencode_mcp.opencode.vocabulary.wire.server_objects import McpStatus
from opencode_mcp.opencode.vocabulary.wire.session_objects import Revert, Session
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps, as_number, as_text

HUNK = re.compile(r"^@@ ", re.MULTILINE)
"""Beginning of the first changes in a patch."""
STATUS_LINES = {"added": "new file mode 100644\n", "deleted": "deleted file mode 100644\n"}
"""Lines in git's header of a patch that say what became of the file."""
TIMES = ("created", "updated", "idle", "archived")
"""Times of a session."""
ALL_ARGUMENTS = "$ARGUMENTS"
"""Placeholder that takes everything that is typed after a command."""


def data_of(reply: object) -> object:
    """Return the content of a reply.

    Raises:
        BackendFailed: The reply has no content.
    """
    if not isinstance(reply, Mapping) or "data" not in reply:
        raise BackendFailed("OpenCode sent a reply without data.")
    return cast("JsonMap", reply)["data"]


def session_of(value: object) -> Session:
    """Convert a session.

    Raises:
        BackendFailed: It has no id.
    """
    found = as_map(value)
    revert = as_map(found.get("revert"))
    return Session.read(
        {
            **found,
            "title": as_text(found.get("title")),
            "directory": as_text(as_map(found.get("location")).get("directory")),
            "parentID": as_text(found.get("parentID")) or None,
            "projectID": as_text(found.get("projectID")),
            "time": _times(as_map(found.get("time"))),
            "cost": as_number(found.get("cost")),
            "tokens": tokens(found),
            "metadata": dict(as_map(found.get("metadata"))),
            "revert": undone_of(revert) if revert else None,
            "forkedFrom": as_text(as_map(found.get("fork")).get("sessionID")),
            "countsCopies": False,
            "renamed": 0,
        }
    )


def _times(time: JsonMap) -> dict[str, float]:
    """Return the times of a session; the end of its last run counts as a change."""
    times: dict[str, float] = {}
    for name in TIMES:
        milliseconds = as_number(time.get(name))
        if milliseconds is not None:
            times[name] = milliseconds
    idle = times.pop("idle", 0)
    return {**times, "updated": max(idle, times.get("updated", 0), times.get("created", 0))}


def undone_of(revert: JsonMap) -> Revert:
    """Convert the point to which a session was reverted, with the changes that this made."""
    patches = [_patch_with_names(item) for item in as_maps(revert.get("files"))]
    return Revert(message_id=as_text(revert.get("messageID")), diff="\n".join(patch for patch in patches if patch))


def _patch_with_names(item: JsonMap) -> str:
    """Return the patch of a file with git's header, from which the file's name is read: not every patch has one."""
    patch, name = as_text(item.get("patch")), as_text(item.get("file"))
    if not name or patch.startswith("diff --git "):
        return patch
    hunks = HUNK.search(patch)
    changes = f"--- a/{name}\n+++ b/{name}\n{patch[hunks.start() :]}" if hunks else ""
    return f"diff --git a/{name} b/{name}\n{STATUS_LINES.get(as_text(item.get('status')), '')}{changes}"


def _identified(data: object, field: str = "id") -> list[JsonMap]:
    """Return the objects of a list that have the text by which others refer to them."""
    return [item for item in as_maps(data) if as_text(item.get(field))]


def agents_of(data: object) -> list[Agent]:
    """Convert the list of agents; the name that other calls take is the agent's id."""
    return [
        Agent(
            name=as_text(item.get("id")),
            description=as_text(item.get("description")),
            mode=as_text(item.get("mode")),
            hidden=item.get("hidden") is True,
        )
        for item in _identified(data)
    ]


def commands_of(data: object) -> list[Command]:
    """Convert the list of commands; as OpenCode 2 does not show their templates, each takes what is typed after it."""
    return [
        Command(
            name=as_text(item.get("name")),
            description=as_text(item.get("description")),
            hints=[ALL_ARGUMENTS],
            template=item.get("template"),
        )
        for item in _identified(data, "name")
    ]


def command_sources_of(entries: object) -> list[CommandSource]:
    """Convert the settings of a directory to the places that define slash commands, in their order."""
    sources: list[CommandSource] = []
    for entry in as_maps(entries):
        if entry.get("type") == "directory":
            sources.append(CommandSource(folder=as_text(entry.get("path"))))
        else:
            sources.append(CommandSource(templates=_templates_of(as_map(entry.get("info")))))
    return sources


def _templates_of(document: JsonMap) -> dict[str, str]:
    """Return the templates of a settings document, which may be in the form of OpenCode 1."""
    commands = {**as_map(document.get("command")), **as_map(document.get("commands"))}
    templates = {name: as_map(command).get("template") for name, command in commands.items()}
    return {name: template for name, template in templates.items() if isinstance(template, str)}


def providers_of(models: object) -> Providers:
    """Group the usable models by their providers; keys in the settings of a model are not read."""
    found: dict[str, Provider] = {}
    for item in _identified(models):
        provider_id = as_text(item.get("providerID"))
        if provider_id:
            provider = found.setdefault(provider_id, Provider(id=provider_id))
            provider.models[as_text(item["id"])] = _model(item)
    providers = list(found.values())
    return Providers(all=providers, providers=providers, connected=list(found))


def _model(item: JsonMap) -> ProviderModel:
    variants = [as_text(variant["id"]) for variant in _identified(item.get("variants"))]
    # A price with a tier is that of a longer context.
    prices = [price for price in as_maps(item.get("cost")) if not price.get("tier")]
    return ProviderModel(
        id=as_text(item["id"]),
        name=as_text(item.get("name")),
        variants=dict.fromkeys(variants),
        cost=prices[0] if prices else item.get("cost"),
        limit=item.get("limit"),
    )


def model_name(value: object) -> str:
    """Return a model, or a reference to one, as ``provider/model``; empty for none."""
    found = as_map(value)
    provider, model = as_text(found.get("providerID")), as_text(found.get("id"))
    return f"{provider}/{model}" if provider and model else ""


def model_reference(name: str, variant: str = "") -> dict[str, str]:
    """Return the reference to a model that is named as ``provider/model``."""
    provider, _, model = name.partition("/")
    return {"id": model, "providerID": provider} | ({"variant": variant} if variant else {})


def mcp_servers_of(data: object) -> dict[str, McpStatus]:
    """Convert the list of MCP servers to their states by name."""
    states: dict[str, McpStatus] = {}
    for item in _identified(data, "name"):
        status = as_map(item.get("status"))
        states[as_text(item["name"])] = McpStatus(
            status=as_text(status.get("status")) or "unknown", error=as_text(status.get("error"))
        )
    return states


def entries_of(data: object) -> list[FileNode]:
    """Convert the entries of a folder; the path of a folder ends in a slash."""
    return [_entry(as_text(item["path"]), as_text(item.get("type"))) for item in _identified(data, "path")]


def _entry(path: str, kind: str) -> FileNode:
    plain = path.rstrip("/")
    return FileNode(name=PurePosixPath(plain).name, path=plain, type=kind)


def diffs_of(data: object) -> list[FileDiff]:
    """Convert a list of changed files."""
    return [
        FileDiff(
            file=as_text(item["file"]),
            patch=as_text(item.get("patch")),
            additions=_lines(item, "additions"),
            deletions=_lines(item, "deletions"),
            status=as_text(item.get("status")) or "modified",
        )
        for item in _identified(data, "file")
    ]


def uncommitted_of(data: object) -> list[UncommittedFile]:
    """Convert the list of files with uncommitted changes."""
    return [
        UncommittedFile(
            file=as_text(item["file"]),
            status=as_text(item.get("status")),
            additions=_lines(item, "additions"),
            deletions=_lines(item, "deletions"),
        )
        for item in _identified(data, "file")
    ]


def _lines(item: JsonMap, name: str) -> int:
    return int(as_number(item.get(name)) or 0)


def vcs_of(data: object) -> Vcs:
    """Convert the branch of a directory."""
    branch = as_map(as_map(data).get("branch"))
    return Vcs(branch=as_text(branch.get("current")) or None, default_branch=as_text(branch.get("default")) or None)
