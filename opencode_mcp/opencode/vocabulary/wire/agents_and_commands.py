"""Agents and slash commands, which the files of a project or of the user define."""

from pydantic import Field

from opencode_mcp.opencode.vocabulary.wire.wire_object import ConfiguredObject


class Agent(ConfiguredObject):
    """Entry of ``app.agents``."""

    name: str
    description: str = ""
    mode: str = ""
    hidden: bool = False


class Command(ConfiguredObject):
    """Entry of ``command.list``."""

    name: str
    description: str = ""
    hints: list[str] = Field(default_factory=list[str])
    """Placeholders of the template, such as ``$ARGUMENTS`` and ``$1``."""
    template: object = None
    """Text of the command; no text for a prompt of an MCP server, which OpenCode requests only when it is run."""
