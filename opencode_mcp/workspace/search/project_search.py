"""Finds text, files and symbols of a project; each answer says how much of the truth it is.

Where OpenCode is on this machine and ripgrep too, ripgrep is asked, since OpenCode hands on ten matches in no order,
and fails where one is not UTF-8. Else OpenCode is asked, and the answer says that there may be more.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opencode_mcp.disk.path_errors import check_text
from opencode_mcp.errors import BackendFailed, InvalidArgument
from opencode_mcp.workspace.globs import Globs
from opencode_mcp.workspace.place import Place
from opencode_mcp.workspace.search.file_search import FileSearch
from opencode_mcp.workspace.search.found_lines import LITERAL_HINT, FoundLine, FoundPage, TextQuery
from opencode_mcp.workspace.search.symbol_forms import Definition, candidates, definition, rank

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.models import SymbolMatch
    from opencode_mcp.workspace.search.ripgrep import Ripgrep

OPENCODE_LINES = 10
"""Matches that OpenCode hands on at most."""
MOST_DEFINITIONS = 5000
UNKNOWN_TO_RUST = re.compile(r"\(\?(?:[=!]|<[=!]|>)|\\[1-9]")
REASONS = (
    "Either the pattern is no regular expression of Rust's, or a match is not UTF-8, or OpenCode finds no ripgrep (rg)."
)


@dataclass(frozen=True, slots=True)
class FoundSymbols:
    """Symbols as OpenCode knows them, or else the definitions that were searched for."""

    known: "Sequence[SymbolMatch]"
    definitions: Sequence[Definition]
    complete: bool


class ProjectSearch:
    """Searches the projects of one OpenCode.

    Args:
        client: Reaches it.
        ripgrep: Where it may be asked: on the same machine.
    """

    def __init__(self, client: "OpenCodeClient", ripgrep: "Ripgrep | None") -> None:
        self._client = client
        self._ripgrep = ripgrep
        self.files = FileSearch(client, ripgrep)
        """Files and folders by their path."""

    async def text(self, place: Place, query: TextQuery, page: FoundPage) -> bool:
        """Fill a page with matches.

        Returns:
            Whether the page tells the whole truth: without ripgrep it is made of ten matches at most, without context.

        Raises:
            InvalidArgument: The pattern or a glob cannot be used; the text says why.
            BackendError: The search failed.
        """
        if not query.pattern:
            raise InvalidArgument("The pattern is empty.", hint="Give the text or the regular expression to look for.")
        check_text(query.pattern, "The pattern")
        for glob in query.include:
            check_text(glob, "The glob")
        return await self._each_line(place, query, page.add)

    async def _each_line(self, place: Place, query: TextQuery, take: Callable[[FoundLine], bool]) -> bool:
        """Hand over what is found until enough is taken, and say whether nothing is missing."""
        included = _Included(query.include)
        if self._ripgrep:
            await self._ripgrep.search(place, query, take)
            return True
        found = await self._ask_for_text(place.project, query)
        for line in found:
            if not place.holds(line.path):
                continue
            inside = replace(line, path=place.within(line.path))
            if included.fit(inside.path) and not take(inside):
                break
        return len(found) < OPENCODE_LINES

    async def _ask_for_text(self, directory: str, query: TextQuery) -> list[FoundLine]:
        pattern = re.escape(query.pattern) if query.literal else query.pattern
        try:
            rows = await self._client.find_text(directory, pattern)
        except BackendFailed as error:
            raise _explained(pattern, error) from error
        lines = [FoundLine(row.path.text, row.line_number, row.lines.text.rstrip("\r\n")) for row in rows]
        return sorted(lines, key=lambda line: (line.path, line.number))

    async def symbols(self, place: Place, query: str) -> FoundSymbols:
        """Find symbols by a part of their name: as OpenCode knows them, or else by what definitions look like.

        Raises:
            InvalidArgument: The query holds no name.
            BackendError: The search failed.
        """
        names = re.findall(r"[\w$]+", query)
        if not names:
            raise InvalidArgument(f"{query!r} names no symbol.", hint="Give a name, or a part of one.")
        check_text(query, "The query")
        # OpenCode knows those of the whole project.
        known = await self._client.find_symbols(place.project, query) if place.folder == "." else []
        if known:
            return FoundSymbols(known, [], complete=True)
        name = str(names[-1])
        found: list[Definition] = []

        def take(line: FoundLine) -> bool:
            if defined := definition(line.path, line.number, line.text, name):
                found.append(defined)
            return len(found) < MOST_DEFINITIONS

        complete = await self._each_line(place, TextQuery(pattern=candidates(name)), take)
        return FoundSymbols([], sorted(found, key=lambda one: rank(one, name)), complete)


def _explained(pattern: str, error: BackendFailed) -> Exception:
    """OpenCode answers every mistake with the same failure; ours may be told by looking at the pattern."""
    try:
        re.compile(pattern)
    except re.error as wrong:
        return InvalidArgument(f"The pattern {pattern!r} cannot be used: {wrong}.", hint=LITERAL_HINT)
    except (RecursionError, OverflowError):
        return InvalidArgument("The pattern is nested too deeply, or repeats too often.", hint=LITERAL_HINT)
    if UNKNOWN_TO_RUST.search(pattern):
        return InvalidArgument(f"The pattern {pattern!r} looks around or back.", hint=LITERAL_HINT)
    return BackendFailed(f"OpenCode's search for {pattern!r} failed.", hint=REASONS, status=error.status)


class _Included:
    """The files that a search looks into; a glob with ``!`` leaves files out."""

    def __init__(self, globs: Sequence[str]) -> None:
        wanted = [glob for glob in globs if not glob.startswith("!")]
        self._wanted = Globs(wanted) if wanted else None
        self._refused = Globs([glob[1:] for glob in globs if glob.startswith("!")])

    def fit(self, path: str) -> bool:
        return not self._refused.fit(path) and (self._wanted is None or self._wanted.fit(path))
