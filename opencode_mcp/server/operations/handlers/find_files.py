"""Handlers of ``find.files`` and ``v2.fs.find``, which the bridge answers itself: OpenCode's search crashes OpenCode.

See ``file_search.py``. The responses have OpenCode's form.
"""

from typing import TYPE_CHECKING

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.operations.handlers.file_reads import refuse_workspace
from opencode_mcp.server.operations.handlers.handler import OperationRequest, OperationResult
from opencode_mcp.workspace.project_folder import ProjectFolder

if TYPE_CHECKING:
    from opencode_mcp.workspace.search.file_search import FoundFiles

MOST_PATHS = 200
"""Limit of paths in one response."""
NOTE = "There are more: narrow the query."


async def find_files(request: OperationRequest) -> OperationResult:
    """Answer ``find.files``: the paths, the best first."""
    query = request.call.query
    kind = str(query.get("type") or ("file" if query.get("dirs") is False else ""))
    found = await _found(request, kind)
    return _outcome(request, found, list(found.paths))


async def find_entries(request: OperationRequest) -> OperationResult:
    """Answer ``v2.fs.find``: entries with their type, the best first."""
    found = await _found(request, str(request.call.query.get("type") or ""))
    entries = [{"path": path, "type": "directory" if path.endswith("/") else "file"} for path in found.paths]
    outcome = _outcome(request, found, entries)
    outcome.value = {"location": {"directory": request.call.directory}, "data": outcome.value}
    return outcome


async def _found(request: OperationRequest, kind: str) -> "FoundFiles":
    refuse_workspace(request)
    place = ProjectFolder(request.call.directory)
    return await request.bridge.search.files.by_words(place, str(request.call.query["query"]), kind)


def _outcome(request: OperationRequest, found: "FoundFiles", rows: list[str] | list[dict[str, str]]) -> OperationResult:
    limit = _limit(request.call.query.get("limit"))
    cut = not found.complete or len(rows) > limit
    return OperationResult(rows[:limit], notes=[NOTE] if cut else [])


def _limit(given: object) -> int:
    """Return the limit that a caller gave; OpenCode's newer API takes it as a text."""
    text = str(given or MOST_PATHS)
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_PATHS)) and 1 <= int(text) <= MOST_PATHS):
        raise InvalidArgument(f"`limit` is {text[:20]!r}.", hint=f"It must be a number from 1 to {MOST_PATHS}.")
    return int(text)
