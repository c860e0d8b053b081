"""What could be meant, while a person types an argument of a prompt or of a resource's address."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from mcp_types import Completion

from opencode_mcp.errors import BridgeError

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge

SHOWN = 100
"""MCP's own limit for one answer."""


async def complete(bridge: "Bridge", argument: str, typed: str, others: Mapping[str, str]) -> Completion:
    """Complete an argument (``completion/complete``); one that nobody can complete has no values.

    Args:
        bridge: Knows what there is.
        argument: The argument's name.
        typed: What has been typed of it.
        others: The arguments that are filled already.
    """
    source = SOURCES.get(argument)
    try:
        values = list(dict.fromkeys(await source(bridge, typed, others))) if source else []
    except BridgeError:
        # There is nobody to tell: the person is typing.
        values = []
    return Completion(values=values[:SHOWN], total=len(values), has_more=len(values) > SHOWN)


async def _sessions(bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    """By the beginning of the id, or by words of the title."""
    words = typed.casefold().split()
    page = await bridge.client.all_sessions({"limit": SHOWN})
    return [
        session.id
        for session in page.items
        if (session.id.startswith(typed) or all(word in session.title.casefold() for word in words))
        and await bridge.fence.allows(session.directory)
    ]


async def _messages(bridge: "Bridge", typed: str, others: Mapping[str, str]) -> Iterable[str]:
    session_id = others.get("id") or others.get("session") or ""
    session = await bridge.fence.session(session_id)
    page = await bridge.client.session_messages(session.id, limit=SHOWN)
    return [message.info.id for message in reversed(page.items) if message.info.id.startswith(typed)]


async def _agents(bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    agents = await bridge.client.agents(await bridge.fence.directory())
    return [agent.name for agent in agents if agent.name.startswith(typed)]


async def _models(bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    providers = await bridge.client.providers(await bridge.fence.directory())
    return [name for name in providers.usable if typed.casefold() in name.casefold()]


async def _commands(bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    commands = await bridge.client.commands(await bridge.fence.directory())
    return [command.name for command in commands if command.name.startswith(typed)]


async def _files(bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    return await bridge.client.find_files(await bridge.fence.directory(), {"query": typed, "limit": SHOWN})


async def _directories(bridge: "Bridge", typed: str, _others: Mapping[str, str]) -> Iterable[str]:
    return [root for root in await bridge.fence.roots() if root.startswith(typed)]


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
}
"""Who completes which argument, of prompts and addresses alike."""
