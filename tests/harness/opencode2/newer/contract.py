"""Parts of the contract that a later OpenCode 2 may change, as data.

The rest stays. Without ids, types, texts, outcomes and the messages of errors nobody could follow a run.
"""

from collections.abc import Mapping

LOOSE = frozenset(
    {
        # Messages and sessions
        *("agent", "cost", "executed", "finish", "input", "metadata", "model", "native", "projectID", "rawFinish"),
        *("slug", "snapshot", "subpath", "time", "title", "tokens"),
        # Requests and the inbox
        *("custom", "delivery", "description", "payload", "save", "source"),
        # Agents, models, providers, commands, MCP servers, changed files
        *("additions", "capabilities", "deletions", "enabled", "hidden", "limit", "mode", "name", "package"),
        *("permissions", "settings", "system", "template", "variants"),
    }
)
"""Fields that are left out or renamed."""
LOOSE_IN_EVENTS = LOOSE | {"at", "attempt", "created", "delta", "durable", "files", "location", "ordinal", "started"}
"""Fields of events that are left out or renamed."""
VALUES = frozenset({"delivery", "effect", "finish", "mode", "reason", "status"})
"""Fields with one of a few words as the value, of which there may be new ones."""
OPAQUE = frozenset({"answer", "input", "metadata", "settings"})
"""Fields whose content belongs to a client, a model or a provider."""
OPEN_LISTS: Mapping[str, tuple[str, ...]] = {
    "/message": ("data", "content"),
    "/inbox": ("data",),
}
"""Lists in which there may be entries of new types: their fields, by the end of the path of the reply."""
MAPS = ("/api/session/active",)
"""Paths of replies whose ``data`` has ids in place of names of fields."""
KEPT_EVENTS = frozenset({"server.connected"})
"""Types of events that are not renamed."""
