"""Results of a search for operations, as data and as text: what each does and takes, and what it needs to be allowed.

What many hits have in common, such as the argument for the directory, is said once.
"""

import re
from typing import TYPE_CHECKING, Any

from opencode_mcp.opencode.operation_catalog import arguments as operation_arguments
from opencode_mcp.opencode.operation_catalog import schema_text
from opencode_mcp.server.access.operations_of_tools import TOOL_OF
from opencode_mcp.server.operations import calling
from opencode_mcp.server.results.host_settings import UNKNOWN_OWNER, SettingsOwner, place_text
from opencode_mcp.server.results.render import cut, result
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mcp_types import CallToolResult

    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.allowed_operations import AllowedOperations

LONGEST_ARGUMENTS = 2500
SHOWN_WHOLE = 20
"""Limit of operations that are shown with their arguments. Longer lists are shown in short, to fit into one result."""
SHORT = 80
OWN_REPLY = "The reply is {"
"""Part of the notes of operations whose result is made here; OpenCode's reply is not shown then."""
SEPARATORS = re.compile(r"[`, ]+")
USUAL_ARGUMENTS: "Mapping[Generation, tuple[str, ...]]" = {1: ("directory", "workspace"), 2: ("directory",)}
"""Arguments that most operations of a generation take: the place in which they work."""
USUAL: "Mapping[Generation, str]" = {
    1: '… stands for directory?: string (absolute path of the project; empty: the default), workspace?: "wrk…".',
    2: "… stands for directory?: string (absolute path of the project; empty: the default).",
}
IN_SHORT = "A query, a group or a smaller limit shows fewer operations with their arguments."


class FoundOperations:
    """Operations that a search found, the best first.

    Args:
        items: The operations.
        allowed: Decides which of them may be called.
        unlisted: Tools that are not listed; no hit names them.
        is_search: Whether words were searched for, so that the first one is what was asked for.
        owner: Those whose settings hold, to say where they are.
    """

    def __init__(
        self,
        items: "Sequence[Operation]",
        allowed: "AllowedOperations",
        unlisted: "Collection[str]",
        *,
        is_search: bool = False,
        owner: SettingsOwner = UNKNOWN_OWNER,
    ) -> None:
        self._items = items
        self._is_search = is_search
        self._allowed = allowed
        self._owner = owner
        self._unlisted = unlisted

    def result(self, remarks: "Sequence[str]", lacking: str = "") -> "CallToolResult":
        """Make the result.

        Args:
            remarks: Sentences to put at the end of the text.
            lacking: Sentences to put in front, on what this OpenCode cannot do.
        """
        if not self._items:
            nothing = lacking or "No operation fits. Try other words, or none with a group."
            return result(nothing, {"operations": [], **_note(lacking)})
        if len(self._items) > SHOWN_WHOLE:
            return result("\n".join([*map(self._line, self._items), IN_SHORT, *remarks]), self._names())
        hits = self._hits()
        note, shared = _note(lacking), self._shared(hits)
        texts = [*note.values(), *map(_text, hits), *shared.values(), *remarks]
        return result("\n\n".join(texts), {"operations": hits, **note, **shared})

    def _hits(self) -> list[dict[str, Any]]:
        """Return the operations with their arguments, which those after the best one lack if a tool is better."""
        hits = _with_settings_once([self._hit(item) for item in self._items])
        in_short = [hit for hit in hits[1:] if "tool" in hit] if self._is_search else []
        for hit in in_short:
            # The tool is better, and the id of the operation finds its arguments.
            del hit["arguments"]
            hit.pop("replies", None)
        return hits

    def _shared(self, hits: "Sequence[dict[str, Any]]") -> dict[str, str]:
        """Return what several hits have in common: the usual arguments, and where settings are changed."""
        shared: dict[str, str] = {}
        if any(_takes_usual(item) for item, hit in zip(self._items, hits, strict=True) if "arguments" in hit):
            shared["usual_arguments"] = USUAL[self._items[0].generation]
        if any("needs" in hit for hit in hits):
            shared["needs_from"] = place_text(self._owner)
        return shared

    def _names(self) -> dict[str, Any]:
        shown = [{"id": item.id, "effect": item.effect, "allowed": self._allowed.allows(item)} for item in self._items]
        return {"operations": shown, "note": IN_SHORT}

    def _line(self, item: "Operation") -> str:
        return _heading(item.id, item.effect, one_line(item.description, SHORT), allowed=self._allowed.allows(item))

    def _hit(self, item: "Operation") -> dict[str, Any]:
        instead = f"Of the next API of OpenCode 1: use {item.instead} instead." if item.instead else ""
        tool = TOOL_OF.get(item.id, "")
        hit = {
            "id": item.id,
            "does": item.description,
            "effect": item.effect,
            "group": item.group,
            "allowed": self._allowed.allows(item),
            "needs": self._needs(item),
            "tool": "" if tool in self._unlisted else tool,
            "note": f"{instead} {item.note}".strip(),
            "arguments": _arguments(item),
            "replies": "" if OWN_REPLY in item.note else item.reply,
            "call": "opencode_read_operation" if item.effect == "read" else "opencode_call_operation",
        }
        return {name: value for name, value in hit.items() if value != ""}

    def _needs(self, item: "Operation") -> str:
        """Return the setting or scope that an operation needs to be allowed; empty if it is allowed."""
        refusal = self._allowed.refusal(item)
        if refusal is None:
            return ""
        if refusal.change is None:
            return f"the scope {refusal.scope}, which the access token of this client lacks"
        change = refusal.change
        return f"this MCP server without `{change.flags}`" if change.removes else f"`{change.flags}`"


def _with_settings_once(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return hits of which each that needs settings names them, or the hit that has named the same ones.

    Operations that are needed together need the same flags, in another order: the others name the first of them.
    """
    named: dict[frozenset[str], str] = {}
    for hit in hits:
        flags = frozenset(SEPARATORS.split(hit.get("needs", "")))
        if flags in named:
            hit["needs"] = f"as {named[flags]}"
        elif "needs" in hit:
            named[flags] = hit["id"]
    return hits


def _note(lacking: str) -> dict[str, str]:
    return {"note": lacking} if lacking else {}


def _heading(name: str, effect: str, does: str, *, allowed: bool) -> str:
    return f"{name} ({effect}{'' if allowed else ', not allowed here'}): {does}"


def _takes_usual(item: "Operation") -> bool:
    """Return True if an operation takes the arguments that ``USUAL`` describes."""
    usual, given = USUAL_ARGUMENTS[item.generation], operation_arguments.arguments_of(item)
    return all(name in given and given[name].place == "scope" for name in usual)


def _arguments(item: "Operation") -> str:
    """Return the arguments of an operation in short, with ``…`` in place of the usual ones."""
    schema = calling.offered_schema(item)
    if _takes_usual(item):
        usual = USUAL_ARGUMENTS[item.generation]
        own = {name: value for name, value in schema["properties"].items() if name not in usual}
        shown = schema_text.in_short({**schema, "properties": own}) if own else "{}"
        return cut(f"{shown.removesuffix('}')}{', ' if own else ''}…}}", LONGEST_ARGUMENTS)
    return cut(schema_text.in_short(schema), LONGEST_ARGUMENTS)


def _text(hit: "Mapping[str, Any]") -> str:
    lines = [_heading(hit["id"], hit["effect"], hit["does"], allowed=hit["allowed"])]
    if "note" in hit:
        lines.append(hit["note"])
    if "needs" in hit:
        lines.append(f"needs: {hit['needs']}")
    if "tool" in hit:
        lines.append(f"better: the tool {hit['tool']}")
    if "arguments" in hit:
        lines.append(f"arguments: {hit['arguments']}")
    if "replies" in hit:
        lines.append(f"replies: {hit['replies']}")
    return "\n".join(lines)
