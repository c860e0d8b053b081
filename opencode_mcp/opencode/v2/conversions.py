"""Conversion of OpenCode 2's replies about sessions, agents, models, files and version control to the bridge's types.

Pure. Messages, requests and events have modules of their own.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import cast

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.vocabulary.models import (
    Agent,
    Command,
    FileDiff,
    FileNode,
    McpStatus,
    Provider,
    ProviderModel,
    Providers,
    Session,
    Undone,
    Vcs,
)
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps

HUNK = re.compile(r"^@@ ", re.MULTILINE)
"""Beginning of the first changes in a patch."""
STATUS_LINES = {"added": "new file mode 100644\n", "deleted": "deleted file mode 100644\n"}
"""Lines in git's header of a patch that say what became of the file."""
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
    location, revert = as_map(found.get("location")), as_map(found.get("revert"))
    return Session.read(
        {
            **found,
            "title": found.get("title") or "",
            "directory": location.get("directory") or "",
            "revert": undone_of(revert) if revert else None,
        }
    )


def undone_of(revert: JsonMap) -> Undone:
    """Convert the point to which a session was reverted, with the changes that this made."""
    patches = [_patch_with_names(item) for item in as_maps(revert.get("files"))]
    return Undone(message_id=str(revert.get("messageID") or ""), diff="\n".join(patch for patch in patches if patch))


def _patch_with_names(item: JsonMap) -> str:
    """Return the patch of a file with git's header, from which the file's name is read: not every patch has one."""
    patch, name = str(item.get("patch") or ""), str(item.get("file") or "")
    if not name or patch.startswith("diff --git "):
        return patch
    hunks = HUNK.search(patch)
    changes = f"--- a/{name}\n+++ b/{name}\n{patch[hunks.start() :]}" if hunks else ""
    return f"diff --git a/{name} b/{name}\n{STATUS_LINES.get(str(item.get('status')), '')}{changes}"


def agents_of(data: object) -> list[Agent]:
    """Convert the list of agents; the name that other calls take is the agent's id."""
    return [Agent.read({**item, "name": item.get("id")}) for item in as_maps(data) if item.get("id")]


def commands_of(data: object) -> list[Command]:
    """Convert the list of commands; as OpenCode 2 does not show their templates, each takes what is typed after it."""
    return Command.read_list([{**item, "hints": [ALL_ARGUMENTS]} for item in as_maps(data)])


def providers_of(providers: object, models: object) -> Providers:
    """Put the lists of providers and of their usable models together; keys in their settings are not read."""
    known = as_maps(models)
    found = [_provider(item, known) for item in as_maps(providers) if item.get("id")]
    return Providers(all=found, providers=found, connected=[provider.id for provider in found if provider.models])


def _provider(item: JsonMap, models: Sequence[JsonMap]) -> Provider:
    own = [model for model in models if model.get("providerID") == item["id"] and model.get("id")]
    kept = {str(model["id"]): _model(model) for model in own}
    return Provider(id=str(item["id"]), name=str(item.get("name") or ""), models=kept)


def _model(item: JsonMap) -> ProviderModel:
    variants = [str(variant["id"]) for variant in as_maps(item.get("variants")) if variant.get("id")]
    return ProviderModel(id=str(item["id"]), name=str(item.get("name") or ""), variants=dict.fromkeys(variants))


def model_name(value: object) -> str:
    """Return a model, or a reference to one, as ``provider/model``; empty for none."""
    found = as_map(value)
    provider, model = found.get("providerID"), found.get("id")
    return f"{provider}/{model}" if provider and model else ""


def model_reference(name: str, variant: str = "") -> dict[str, str]:
    """Return the reference to a model that is named as ``provider/model``."""
    provider, _, model = name.partition("/")
    return {"id": model, "providerID": provider} | ({"variant": variant} if variant else {})


def mcp_servers_of(data: object) -> dict[str, McpStatus]:
    """Convert the list of MCP servers to their states by name."""
    states: dict[str, McpStatus] = {}
    for item in as_maps(data):
        status = as_map(item.get("status"))
        states[str(item.get("name"))] = McpStatus(
            status=str(status.get("status") or "unknown"), error=str(status.get("error") or "")
        )
    return states


def entries_of(data: object) -> list[FileNode]:
    """Convert the entries of a folder; the path of a folder ends in a slash."""
    return [_entry(str(item.get("path") or ""), str(item.get("type") or "")) for item in as_maps(data)]


def _entry(path: str, kind: str) -> FileNode:
    plain = path.rstrip("/")
    return FileNode(name=PurePosixPath(plain).name, path=plain, type=kind)


def diffs_of(data: object) -> list[FileDiff]:
    """Convert a list of changed files."""
    return FileDiff.read_list(data)


def vcs_of(data: object) -> Vcs:
    """Convert the branch of a directory."""
    branch = as_map(as_map(data).get("branch"))
    return Vcs(branch=branch.get("current"), default_branch=branch.get("default"))
