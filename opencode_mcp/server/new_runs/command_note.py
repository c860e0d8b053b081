"""Note on a prompt that looks like a slash command: OpenCode's API takes it as text, and only its terminal runs it."""

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError

if TYPE_CHECKING:
    from opencode_mcp.server.bridge import Bridge

COMMAND = re.compile(r"/([\w-]{1,64})(?:\s|$)")
READ_SECONDS = 2.0
"""Seconds in which the project's commands are read."""


async def command_note(bridge: "Bridge", prompt: str, directory: str) -> str:
    """Return a sentence on a prompt that begins with one of the project's commands; empty for any other.

    The commands are read only for a prompt that begins with a slash and a word (``command.list``).
    """
    found = COMMAND.match(prompt.lstrip())
    if not found or "opencode_command" in bridge.unlisted_tools:
        return ""
    names: set[str] = set()
    with anyio.move_on_after(READ_SECONDS), suppress(BridgeError):
        names = {command.name for command in await bridge.client.commands(directory)}
    name = found[1]
    return f'/{name} was sent as text. opencode_command(command="{name}") runs the command.' if name in names else ""
