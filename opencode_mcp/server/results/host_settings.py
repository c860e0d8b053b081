"""Places where hosts keep the arguments of their MCP servers, for texts that tell a person what to change."""

from typing import NamedTuple

from opencode_mcp.errors import SettingsChange


class HostSettings(NamedTuple):
    """Place of the arguments in one host, recognised by a part of the name that it sends."""

    name: str
    title: str
    """Name of the host for a person."""
    place: str
    """Place of the arguments of this MCP server."""


HOSTS = (
    HostSettings(
        "claude-code", "Claude Code", "`args` of this MCP server in ~/.claude.json or the project's .mcp.json"
    ),
    HostSettings(
        "claude", "Claude Desktop", "`args` of this MCP server in claude_desktop_config.json (Settings, Developer)"
    ),
    HostSettings("codex", "Codex", "`args` of this MCP server in ~/.codex/config.toml"),
    HostSettings(
        "cursor", "Cursor", "`args` of this MCP server in ~/.cursor/mcp.json or the project's .cursor/mcp.json"
    ),
    HostSettings(
        "visual studio code", "VS Code", "`args` of this MCP server in .vscode/mcp.json or the user's mcp.json"
    ),
    HostSettings(
        "gemini", "Gemini CLI", "`args` of this MCP server in .gemini/settings.json, of the user or the project"
    ),
    HostSettings("copilot", "Copilot CLI", "`args` of this MCP server in ~/.copilot/mcp-config.json"),
    HostSettings("qwen", "Qwen Code", "`args` of this MCP server in .qwen/settings.json, of the user or the project"),
    HostSettings("cline", "Cline", "`args` of this MCP server in cline_mcp_settings.json (MCP Servers, Configure)"),
    HostSettings("continue", "Continue", "`args` of this MCP server in the file in .continue/mcpServers"),
    # The last one, since a host may add the server's name, which is likely ours, to its own.
    HostSettings("opencode", "OpenCode", "`command` of this MCP server under `mcp` in opencode.json"),
)
ANY_HOST = HostSettings(
    "",
    "that program",
    "the settings of the program in which your assistant runs, where this MCP server is entered (its `args`)",
)


class SettingsOwner(NamedTuple):
    """Those whose settings hold for a call: the host that started this MCP server, or a principal over HTTP."""

    client_name: str = ""
    """``clientInfo.name``; empty if the client did not send it."""
    principal: str = ""
    """Name of the principal; empty if the host has started this MCP server for itself."""


UNKNOWN_OWNER = SettingsOwner()


def host_settings(client_name: str) -> HostSettings:
    """Return the place of the arguments in a host.

    Args:
        client_name: ``clientInfo.name``; empty if the client did not send it.
    """
    name = client_name.lower()
    return next((host for host in HOSTS if host.name in name), ANY_HOST)


def change_text(change: SettingsChange, owner: SettingsOwner) -> str:
    """Return what a person has to do so that something is allowed, as the rest of a sentence."""
    if owner.principal:
        verb = "remove" if change.removes else "add"
        return f"{verb} `{change.flags}`, as keys without dashes, {_table_of(owner.principal)}; it needs no restart"
    host = host_settings(owner.client_name)
    if change.removes:
        where = f"remove `{change.flags}` from {host.place} (or its environment variable or settings file)"
    else:
        where = f"add `{change.flags}`{_broader(change)} to {host.place}"
    return f"{where}, then restart {host.title}"


def place_text(owner: SettingsOwner) -> str:
    """Return where a person gives flags, for a result that has named them."""
    if owner.principal:
        return (
            f"What is needed belongs, as keys without dashes, {_table_of(owner.principal)}. Only the person who serves "
            "it can change that; do not change it yourself. Tell them."
        )
    host = host_settings(owner.client_name)
    return (
        f"What is needed belongs to {host.place}. Only the person can change that; do not change it yourself. "
        f"Tell them, and to restart {host.title} then."
    )


def _table_of(principal: str) -> str:
    return f"in the table [principals.{principal}] of the settings file of this MCP server"


def _broader(change: SettingsChange) -> str:
    """Return a remark on the flags that allow more; empty if there are none."""
    return f" (or `{change.broader}`, which allows {change.broader_allows})" if change.broader else ""
