"""Tools that find files and text of a project."""

import re
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp_types import CallToolResult
from pydantic import Field

from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.definition.tool import tool
from opencode_mcp.server.results.paging import PAGE_BYTES, check_offset, fitting, offset_of
from opencode_mcp.server.results.render import result
from opencode_mcp.server.results.schemas import MATCHES, MATCHES_TEXTS, PATHS
from opencode_mcp.server.tools.file_tools import Cursor, Directory
from opencode_mcp.text.outside_text import beginning
from opencode_mcp.workspace.search import found_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opencode_mcp.workspace.search.found_lines import FoundLine, FoundPage, TextQuery

LEFT_OUT = "Files that git ignores are not searched."
TEN_ONLY = (
    "OpenCode returned only its first ten matches, and this MCP server has no ripgrep (rg) to find more: "
    "narrow the pattern."
)
CASE = re.compile(r"[^\W\d_]")
"""A letter, whose case a search minds."""
IGNORES_CASE = re.compile(r"\(\?[a-z]*i")


@tool(title="Find files", read_only=True, destructive=False, idempotent=True, open_world=False, output_schema=PATHS)
async def opencode_find_files(
    ctx: BridgeContext,
    *,
    query: Annotated[str, Field(description="Part of a path, or a glob such as src/**/*.py")],
    directory: Directory = "",
    type: Annotated[Literal["file", "directory"] | None, Field(description="Left out: both")] = None,  # noqa: A002
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
    cursor: Cursor = "",
) -> CallToolResult:
    """Find files and folders of a project by their path, the best first.

    Use it when only a part is known.
    """
    bridge = bridge_of(ctx)
    place = await bridge.fence.place(directory)
    start = offset_of(cursor)
    found = await bridge.search.files.find(place, query, type or "")
    check_offset(start, len(found.paths), "paths")
    page = fitting(found.paths[start : start + limit])
    end = start + len(page)
    more = end < len(found.paths)
    cursor = str(end) if more else ""
    note = "" if more or found.complete else f"There may be more than these {len(found.paths)}: narrow the query."
    data = {"paths": page, "cursor": cursor} | ({"note": note} if note else {})
    return result(_lines([*map(beginning, page)] or [f"No path fits {query!r}. {LEFT_OUT}"], cursor, note), data)


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
    literal: Annotated[bool, Field(description="Pattern is plain text")] = False,
    include: Annotated[list[str], Field(description="Globs of files; !glob leaves out")] = [],
    context: Annotated[int, Field(ge=0, le=20, description="Lines around a match")] = 0,
    per_file: Annotated[int, Field(ge=0, description="Most matches per file; 0: all")] = 0,
    limit: Annotated[int, Field(ge=1, le=500)] = 50,
    cursor: Cursor = "",
) -> CallToolResult:
    """Search the lines of a project's files, without those git ignores. opencode_find_symbols finds definitions."""
    bridge = bridge_of(ctx)
    place = await bridge.fence.place(directory)
    query = found_lines.TextQuery(
        pattern=pattern, literal=literal, include=tuple(include), context=context, per_file=per_file
    )
    page = found_lines.FoundPage(offset_of(cursor), limit, context, PAGE_BYTES)
    complete = await bridge.search.text(place, query, page)
    if not page.taken:
        check_offset(page.offset, page.seen, "matches")
    cursor = str(page.next_offset) if page.more else ""
    note = "" if complete else TEN_ONLY
    data = {"matches": _matches(page), "cursor": cursor} | ({"note": note} if note else {})
    return result(_lines(list(lines_by_file(page.lines)) or [_nothing(query)], cursor, note), data, verbatim=True)


def _nothing(query: "TextQuery") -> str:
    """Return the sentences for a search without a match: what was searched, and how to find more."""
    sentences = [f"Nothing matches {query.pattern!r}."]
    if query.literal and CASE.search(query.pattern):
        sentences.append("Upper and lower case count; a pattern without literal that begins with (?i) ignores them.")
    elif CASE.search(query.pattern) and not IGNORES_CASE.search(query.pattern):
        sentences.append("Upper and lower case count; a pattern that begins with (?i) ignores them.")
    sentences.append(LEFT_OUT)
    return " ".join(sentences)


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
