"""Tool that finds the definitions of a project's symbols, and the lines that use them."""

from typing import TYPE_CHECKING, Annotated, Any

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.results.paging import PAGE_BYTES, fitting
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.schemas import SYMBOLS, SYMBOLS_TEXTS
from opencode_mcp.server.tools.file_tools import Directory
from opencode_mcp.server.tools.search_tools import TEN_ONLY, lines_by_file
from opencode_mcp.text.json_text import json_size
from opencode_mcp.text.outside_text import beginning, one_line
from opencode_mcp.workspace.search import found_lines

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.wire.file_objects import SymbolMatch
    from opencode_mcp.server.bridge import Bridge
    from opencode_mcp.text.json_types import JsonMap
    from opencode_mcp.workspace.project_folder import ProjectFolder
    from opencode_mcp.workspace.search.found_lines import FoundPage
    from opencode_mcp.workspace.search.project_search import FoundSymbols
    from opencode_mcp.workspace.search.symbol_forms import SymbolDefinition

BY_TEXT = "No language server result; matched by text instead."
REFERENCES = "Lines that use {name!r}{by_text}:"
ALL_LINES = " opencode_find_text searches all lines."
LEAST_ROOM = 4000
"""Bytes for the lines that use a symbol, however many definitions there are."""
KINDS = (
    *("", "file", "module", "namespace", "package", "class", "method", "property", "field", "constructor", "enum"),
    *("interface", "function", "variable", "constant", "string", "number", "boolean", "array", "object", "key"),
    *("null", "enum member", "struct", "event", "operator", "type parameter"),
)
"""Names of LSP's ``SymbolKind``, by its numbers."""


@tool(
    title="Find symbols",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=SYMBOLS,
    texts=SYMBOLS_TEXTS,
)
async def opencode_find_symbols(
    ctx: BridgeContext,
    *,
    query: Annotated[str, Field(description="Name or part of it")],
    directory: Directory = "",
    references: Annotated[bool, Field(description="Also lines with the whole name")] = False,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> CallToolResult:
    """Find definitions of functions, classes, types, variables; with `references` their uses.

    Use it when a name is known.
    """
    bridge = bridge_of(ctx)
    place = await bridge.fence.place(directory)
    found = await bridge.search.symbols(place, query)
    every = _symbols(found)
    rows = fitting(every[:limit])
    note = _note(found, len(every), len(rows))
    data: dict[str, Any] = {"symbols": rows, "source": "language server" if found.known else "text"}
    lines = _symbol_lines(rows, query, references=references)
    by_text = BY_TEXT if rows and not found.known else ""
    if references:
        page = found_lines.FoundPage(0, limit, room=max(PAGE_BYTES - json_size(rows), LEAST_ROOM))
        data["references"] = await _references(bridge, place, query, page, rows)
        lines += _reference_lines(query, page, "other line" if rows else "line", is_noted=bool(by_text))
    if by_text or note:
        data["note"] = f"{by_text} {note}".strip()
    return result("\n".join(filter(None, [by_text, *lines, note])), data, verbatim=references)


def _note(found: "FoundSymbols", number: int, shown: int) -> str:
    """Return what a list of symbols does not say by itself.

    Args:
        found: Result of the search.
        number: How many symbols or definitions were found.
        shown: How many of them are listed.
    """
    notes = [
        "" if found.complete else TEN_ONLY,
        f"{number} in all; a longer name finds fewer." if number > shown else "",
    ]
    return " ".join(filter(None, notes))


async def _references(
    bridge: "Bridge", place: "ProjectFolder", query: str, page: "FoundPage", rows: "list[dict[str, Any]]"
) -> list[dict[str, Any]]:
    await bridge.search.references(place, query, page, {(row["path"], row["line"]) for row in rows})
    return [{"path": line.path, "line": line.number, "text": line.text} for line in page.lines]


def _reference_lines(query: str, page: "FoundPage", lines: str, *, is_noted: bool) -> list[str]:
    """Return the lines about the uses of a symbol.

    Args:
        query: Name of the symbol.
        page: The lines that were found.
        lines: Word for them.
        is_noted: Whether the result has said before that everything in it is matched by text.
    """
    if not page.lines:
        return [f"No {lines} contains {query!r} as a whole word."]
    more = f"There are more; opencode_find_text(pattern={query!r}) shows all by pages." if page.more else ""
    return [
        "",
        REFERENCES.format(name=query, by_text="" if is_noted else ", matched by text"),
        *lines_by_file(page.lines),
        *filter(None, [more]),
    ]


def _symbols(found: "FoundSymbols") -> list[dict[str, Any]]:
    """Return the symbols of a language server; if there are none, the definitions that were found by text."""
    return [_known(symbol) for symbol in found.known] or [_defined(one) for one in found.definitions]


def _symbol_lines(rows: "list[dict[str, Any]]", query: str, *, references: bool) -> list[str]:
    """Return the lines of the symbols, or one that says that there is none.

    Args:
        rows: The symbols.
        query: What was searched for.
        references: Whether the lines that use it follow.
    """
    none = f"No definition of {query!r} was found." + ("" if references else ALL_LINES)
    return [_symbol_line(row) for row in rows] or [none]


def _symbol_line(row: "JsonMap") -> str:
    kind = f" ({row['kind']})" if row["kind"] else ""
    return f"{beginning(row['path'])}:{row['line']}{kind}: {one_line(row['text'] or row['name'])}"


def _known(symbol: "SymbolMatch") -> dict[str, Any]:
    kind = KINDS[symbol.kind] if 0 <= symbol.kind < len(KINDS) else ""
    line = symbol.location.range.get("start", {}).get("line", 0) + 1
    return {"name": symbol.name, "kind": kind, "path": symbol.location.uri, "line": line, "text": ""}


def _defined(found: "SymbolDefinition") -> dict[str, Any]:
    return {"name": found.name, "kind": found.kind, "path": found.path, "line": found.line, "text": found.text}
