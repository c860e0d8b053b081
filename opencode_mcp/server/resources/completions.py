"""Completions for the arguments of prompts and of resource URIs, while a person types them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from math import inf
from typing import TYPE_CHECKING, get_args

import anyio
from mcp_types import Completion

from opencode_mcp.errors import BridgeError
from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.server.access import fence
from opencode_mcp.server.access.operations_of_tools import COMPLETION_USES, NOTHING
from opencode_mcp.server.sessions import session_list
from opencode_mcp.text.outside_text import is_plain
from opencode_mcp.workspace.project_folder import ProjectFolder

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.server.bridge import Bridge

SHOWN_VALUES = 100
"""MCP's limit of values in one response."""
TIMEOUT_SECONDS = 20.0
"""Seconds that OpenCode may take, including its start and the opening of the project."""


async def complete(bridge: "Bridge", argument: str, typed: str, others: Mapping[str, str]) -> Completion:
    """Complete an argument (``completion/complete``); there are no values for an argument without completions.

    Args:
        bridge: Reads the possible values.
        argument: Name of the argument.
        typed: Text that has been typed so far.
        others: Arguments that already have values.
    """
    uses = COMPLETION_USES.get(argument, NOTHING)
    source = SOURCES.get(argument) if bridge.allowed.serves(uses) else None
    try:
        with anyio.fail_after(TIMEOUT_SECONDS):
            await bridge.check_served(uses)
            found: Iterable[str] = await source(bridge, typed, others) if source else ()
        # Hosts insert a value unchanged, so values that may not be shown unchanged are left out.
        values = list(dict.fromkeys(value for value in found if is_plain(value)))
    except (BridgeError, TimeoutError):
        # No error is shown to a person who is typing.
        values = []
    more = len(values) > SHOWN_VALUES
    return Completion(values=values[:SHOWN_VALUES], total=None if more else len(values), has_more=more)


async def _sessions(bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    """Find sessions by the beginning of the id, or by words of the title."""
    by_id = typed.startswith(fence.SESSION_PREFIX)
    # OpenCode searches for a single text in the title.
    search = "" if by_id else max(typed.split(), key=len, default="")
    page = await session_list.list_sessions(
        bridge, session_list.SessionQuery(search=search, roots=False), SHOWN_VALUES + 1, "", room=inf
    )
    return [session.id for session in page.sessions if _fits(session, typed)]


def _fits(session: "Session", typed: str) -> bool:
    """Return True if an id or a title fits what was typed."""
    if typed.startswith(fence.SESSION_PREFIX) and session.id.startswith(typed):
        return True
    return all(word in session.title.casefold() for word in typed.casefold().split())


async def _messages(bridge: "Bridge", typed: str, others: Mapping[str, str]) -> Iterable[str]:
    session = await bridge.fence.session(others.get("id") or others.get("session") or "")
    page = await bridge.client.session_messages(session.id, limit=SHOWN_VALUES + 1)
    return [message.info.id for message in reversed(page.items) if message.info.id.startswith(typed)]


async def _project(bridge: "Bridge", others: Mapping[str, str]) -> str:
    """Return the project that the other arguments name, directly or by a session in it."""
    if session_id := others.get("session_id"):
        return (await bridge.fence.session(session_id)).directory
    return await bridge.fence.directory(others.get("directory", ""))


async def _agents(bridge: "Bridge", typed: str, others: Mapping[str, str]) -> Iterable[str]:
    agents = await bridge.client.agents(await _project(bridge, others))
    return [agent.name for agent in agents if _within(typed, agent.name)]


async def _models(bridge: "Bridge", typed: str, others: Mapping[str, str]) -> Iterable[str]:
    providers = await bridge.client.used_providers(await _project(bridge, others))
    return [name for name in providers.usable if _within(typed, name)]


async def _commands(bridge: "Bridge", typed: str, others: Mapping[str, str]) -> Iterable[str]:
    commands = await bridge.client.commands(await _project(bridge, others))
    return [command.name for command in commands if _within(typed, command.name)]


async def _files(bridge: "Bridge", typed: str, others: Mapping[str, str]) -> Iterable[str]:

    found = await bridge.search.files.by_words(ProjectFolder(await _project(bridge, others)), typed, "file")
    return found.paths


async def _directories(bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    return [root for root in await bridge.fence.every_root() if _within(typed, root)]


async def _shown_parts(_bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    return [value for value in get_args(ShownParts) if value.startswith(typed)]


def _within(typed: str, name: str) -> bool:
    return typed.casefold() in name.casefold()


Source = Callable[["Bridge", str, Mapping[str, str]], Awaitable[Iterable[str]]]
SOURCES: Mapping[str, Source] = {
    "id": _sessions,
    "session": _sessions,
    "session_id": _sessions,
    "message": _messages,
    "agent": _agents,
    "model": _models,
    "command": _commands,
    "path": _files,
    "directory": _directories,
    "show": _shown_parts,
}
"""Functions that complete the arguments of prompts and URIs, by the argument's name."""
