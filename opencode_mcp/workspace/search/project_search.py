"""Search for text, files and symbols of a project; each result says whether it is complete.

If OpenCode and ripgrep are on this machine, ripgrep is used, because OpenCode returns only ten matches in no order, and
fails if one is not UTF-8. Otherwise OpenCode is used, and the result says that there may be more.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opencode_mcp.disk.path_errors import check_text
from opencode_mcp.errors import BackendFailed, InvalidArgument
from opencode_mcp.workspace.globs import Globs
from opencode_mcp.workspace.project_folder import ProjectFolder
from opencode_mcp.workspace.search.file_search import FileSearch
from opencode_mcp.workspace.search.found_lines import LITERAL_HINT, FoundLine, FoundPage, TextQuery
from opencode_mcp.workspace.search.symbol_forms import SymbolDefinition, candidates, definition, rank

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.wire.file_objects import SymbolMatch
    from opencode_mcp.workspace.search.ripgrep import Ripgrep

OPENCODE_LINES = 10
"""Most matches that OpenCode returns."""
MOST_DEFINITIONS = 5000
UNKNOWN_TO_RUST = re.compile(r"\(\?(?:[=!]|<[=!]|>)|\\[1-9]")
REASONS = (
    "The pattern is not a regular expression of Rust, or a match is not UTF-8, or OpenCode cannot find ripgrep (rg)."
)


@dataclass(frozen=True, slots=True)
class FoundSymbols:
    """Symbols that OpenCode knows, or else the definitions that a text search found."""

    known: "Sequence[SymbolMatch]"
    definitions: Sequence[SymbolDefinition]
    complete: bool


class ProjectSearch:
    """Searches the projects of one OpenCode.

    Args:
        client: Client of OpenCode.
        ripgrep: Present if OpenCode is on this machine.
    """

    def __init__(self, client: "OpenCodeClient", ripgrep: "Ripgrep | None") -> None:
        self._client = client
        self._ripgrep = ripgrep
        self.files = FileSearch(client, ripgrep)
        """Search for files and folders by their path."""

    async def text(self, place: ProjectFolder, query: TextQuery, page: FoundPage) -> bool:
        """Fill a page with matches.

        Returns:
            True if the page is complete. Without ripgrep it consists of at most ten matches, without context.

        Raises:
            InvalidArgument: The pattern or a glob is invalid; the text says why.
            BackendError: The search failed.
        """
        if not query.pattern:
            raise InvalidArgument("The pattern is empty.", hint="Give the text or the regular expression to look for.")
        check_text(query.pattern, "The pattern")
        for glob in query.include:
            check_text(glob, "The glob")
        return await self._each_line(place, query, page.add)

    async def _each_line(self, place: ProjectFolder, query: TextQuery, take: Callable[[FoundLine], bool]) -> bool:
        """Pass on the results until no more are wanted; return True if none is missing."""
        included = _IncludedFiles(query.include)
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

    async def symbols(self, place: ProjectFolder, query: str) -> FoundSymbols:
        """Find symbols by a part of their name: OpenCode's own, or else lines that look like definitions.

        Raises:
            InvalidArgument: The query contains no name.
            BackendError: The search failed.
        """
        name = _name_in(query)
        # OpenCode searches the whole project.
        known = await self._client.find_symbols(place.project, query) if place.folder == "." else []
        if known:
            return FoundSymbols(known, [], complete=True)
        found: list[SymbolDefinition] = []

        def take(line: FoundLine) -> bool:
            if defined := definition(line.path, line.number, line.text, name):
                found.append(defined)
            return len(found) < MOST_DEFINITIONS

        complete = await self._each_line(place, TextQuery(pattern=candidates(name)), take)
        return FoundSymbols([], sorted(found, key=lambda one: rank(one, name)), complete)

    async def references(
        self, place: ProjectFolder, query: str, page: FoundPage, definitions: Collection[tuple[str, int]]
    ) -> bool:
        """Fill a page with the lines that contain a name as a whole word.

        Args:
            place: Folder to search.
            query: The name.
            page: Page to fill.
            definitions: Paths and numbers of lines to leave out.

        Returns:
            True if the page is complete, as ``text`` does.

        Raises:
            InvalidArgument: The query contains no name.
            BackendError: The search failed.
        """

        def take(line: FoundLine) -> bool:
            return (line.path, line.number) in definitions or page.add(line)

        return await self._each_line(place, TextQuery(pattern=whole_word(_name_in(query))), take)


def whole_word(name: str) -> str:
    """Return the expression for lines that contain a name that is not a part of a longer one."""
    return rf"(?:^|[^\w$]){re.escape(name)}(?:[^\w$]|$)"


def _name_in(query: str) -> str:
    """Return the last name in a query: that of a qualified name.

    Raises:
        InvalidArgument: The query contains no name.
    """
    names = re.findall(r"[\w$]+", query)
    if not names:
        raise InvalidArgument(f"{query!r} names no symbol.", hint="Give a name, or a part of one.")
    check_text(query, "The query")
    return str(names[-1])


def _explained(pattern: str, error: BackendFailed) -> Exception:
    """Return the error for a failed search; OpenCode's is always the same, but the pattern may show the mistake."""
    try:
        re.compile(pattern)
    except re.error as wrong:
        return InvalidArgument(f"The pattern {pattern!r} is invalid: {wrong}.", hint=LITERAL_HINT)
    except (RecursionError, OverflowError):
        return InvalidArgument("The pattern is nested too deeply, or repeats too often.", hint=LITERAL_HINT)
    if UNKNOWN_TO_RUST.search(pattern):
        return InvalidArgument(f"The pattern {pattern!r} uses look-around or a backreference.", hint=LITERAL_HINT)
    return BackendFailed(f"OpenCode's search for {pattern!r} failed.", hint=REASONS, status=error.status)


class _IncludedFiles:
    """Set of the files to search; a glob with ``!`` excludes files."""

    def __init__(self, globs: Sequence[str]) -> None:
        wanted = [glob for glob in globs if not glob.startswith("!")]
        self._wanted = Globs(wanted) if wanted else None
        self._refused = Globs([glob[1:] for glob in globs if glob.startswith("!")])

    def fit(self, path: str) -> bool:
        return not self._refused.fit(path) and (self._wanted is None or self._wanted.fit(path))
