"""Choice of what a transcript shows. Light, since the list of tools needs it."""

from typing import Literal, TypeAlias

ShownParts: TypeAlias = Literal["brief", "conversation", "tools", "everything"]
"""``brief``: all, each text cut short. ``conversation``: only what was said. ``tools``: only tool calls.
``everything``: all, at length."""
