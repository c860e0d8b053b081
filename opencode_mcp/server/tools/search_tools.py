"""Tools that find files and text of a project."""

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.results.paging import PAGE_BYTES, fitting, foreign_cursor
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.schemas import MATCHES, MATCHES_TEXTS, PATHS
from opencode_mcp.server.tool import tool
from opencode_mcp.server.tools.file_tools import Cursor, Directory
from opencode_mcp.text.outside_text import beginning
from opencode_mcp.workspace.search import found_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opencode_mcp.workspace.search.found_lines import FoundLine, FoundPage

TEN_ONLY = (
    "OpenCode returned only its first ten matches, and this MCP server has no ripgrep (rg) to find more: "
    "narrow the pattern."
)
LONGEST_OFFSET = 9
"""Limit of a cursor's digits; no tool returns a larger number."""


@tool(title="Find files", read_only=True, destructive=False, idempotent=True, open_world=False, output_schema=PATHS)
async def opencode_find_files(
    ctx: BridgeContext,
    *,
    query: Annotated[str, Field(description="Part of a path, fuzzy; or a glob such as src/**/*.py")],
    directory: Directory = "",
    type: Annotated[Literal["file", "directory"] | None, Field(description="Left out: both")] = None,  # noqa: A002
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
    cursor: Cursor = "",
) -> CallToolResult:
    """Find files and folders of a project by their path, the best first.

    Use it when only a part of a path is known.
    """
    bridge = bridge_of(ctx)
    place = await bridge.fence.place(directory)
    start = _offset(cursor)
    found = await bridge.search.files.find(place, query, type or "")
    page = fitting(found.paths[start : start + limit])
    end = start + len(page)
    more = end < len(found.paths)
    cursor = str(end) if more else ""
    note = "" if more or found.complete else f"There may be more than these {len(found.paths)}: narrow the query."
    data = {"paths": page, "cursor": cursor} | ({"note": note} if note else {})
    return result(_lines([*map(beginning, page)] or [f"No path fits {query!r}."], cursor, note), data)


@tool(
    title="Find text",
    read_only=True,
    destructive=False,
    idempotent=True,
    open_world=False,
    output_schema=MATCHES,
    texts=MATCHES_TEXTS,
)
async def opencode_find_text(
    ctx: BridgeContext,
    *,
    pattern: Annotated[str, Field(description="Regular expression (Rust's); (?i) ignores case")],
    directory: Directory = "",
    literal: Annotated[bool, Field(description="Take the pattern as plain text")] = False,
    include: Annotated[list[str], Field(description="Globs of files; !glob leaves out")] = [],
    context: Annotated[int, Field(ge=0, le=20, description="Lines around a match")] = 0,
    per_file: Annotated[int, Field(ge=0, description="Matches of a file; 0: all")] = 0,
    limit: Annotated[int, Field(ge=1, le=500)] = 50,
    cursor: Cursor = "",
) -> CallToolResult:
    """Search the lines of a project's files; those that git ignores are left out.

    Use it to find where something is said; opencode_find_symbols finds definitions.
    """
    bridge = bridge_of(ctx)
    place = await bridge.fence.place(directory)
    query = found_lines.TextQuery(
        pattern=pattern, literal=literal, include=tuple(include), context=context, per_file=per_file
    )
    page = found_lines.FoundPage(_offset(cursor), limit, context, PAGE_BYTES)
    complete = await bridge.search.text(place, query, page)
    cursor = str(page.next_offset) if page.more else ""
    note = "" if complete else TEN_ONLY
    data = {"matches": _matches(page), "cursor": cursor} | ({"note": note} if note else {})
    return result(
        _lines(list(lines_by_file(page.lines)) or [f"Nothing matches {pattern!r}."], cursor, note), data, verbatim=True
    )


def _offset(cursor: str) -> int:
    if cursor and not (cursor.isdecimal() and len(cursor) <= LONGEST_OFFSET):
        raise foreign_cursor(cursor)
    return int(cursor or 0)


def _lines(lines: "Sequence[str]", cursor: str, note: str = "") -> str:
    more = f'More with cursor="{cursor}".' if cursor else ""
    return "\n".join([*lines, *filter(None, [more, note])])


def lines_by_file(lines: "Iterable[FoundLine]") -> "Iterable[str]":
    """Yield the path of each file, and below it its lines with their numbers."""
    for path, group in groupby(lines, lambda line: line.path):
        yield beginning(path)
        yield from (f"{line.number:>6}{':' if line.matched else '-'} {line.text}" for line in group)


def _matches(page: "FoundPage") -> list[dict[str, Any]]:
    """Return the matches with their context; a line between two matches belongs to the first one."""
    matches: list[dict[str, Any]] = []
    before: list[str] = []
    for line in page.lines:
        last = matches[-1] if matches else None
        if line.matched:
            context = {"before": before} if before else {}
            matches.append({"path": line.path, "line": line.number, "text": line.text, **context})
            before = []
        elif last and last["path"] == line.path and line.number <= last["line"] + page.context:
            last.setdefault("after", []).append(line.text)
        else:
            before.append(line.text)
    return matches
