"""The diffs of turns, from the git trees that the engine keeps for each step."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.harness.opencode2.proxy.messages import Messages
from tests.harness.opencode2.proxy.replies import failed
from tests.harness.opencode2.proxy.upstream import Json, Upstream

STATUS = {"A": "added", "D": "deleted"}
GIT_LIMIT = 60.0
"""Seconds that one git command may take."""


class Diffs:
    """Serves ``GET /api/session/{sessionID}/diff``."""

    def __init__(self, upstream: Upstream, messages: Messages, data: Path) -> None:
        self._upstream = upstream
        self._messages = messages
        self._snapshots = data / "opencode" / "snapshot"

    async def session(self, request: Request) -> Response:
        """Serve the diff of a turn, or of a range of them."""
        session, asked = request.path_params["sessionID"], request.query_params
        found = await self._messages.all(session)
        ids = [item["id"] for item in found]
        for wanted in (asked.get("from"), asked.get("to")):
            if wanted and wanted not in ids:
                message = f"Message not found: {wanted}"
                return failed(404, "MessageNotFoundError", message, sessionID=session, messageID=wanted)
        trees = _trees(found, asked.get("from"), asked.get("to"))
        if trees is None:
            return JSONResponse({"data": []})
        project = (await self._upstream.read(f"/api/session/{session}"))["projectID"]
        return JSONResponse({"data": await self._diff(project, *trees, context=asked.get("context", "3"))})

    async def _diff(self, project: str, start: str, end: str, *, context: str) -> list[Json]:
        # Projects that begin with the same commit have one id, and their repositories can have trees in common.
        for repository in (self._snapshots / project).glob("*"):
            if await _holds(repository, start) and await _holds(repository, end):
                return await _files(repository, start, end, context)
        return []


def _trees(found: Sequence[Json], start: str | None, last: str | None) -> tuple[str, str] | None:
    """Find the trees before the first and after the last step of a range of turns; None: no step was recorded."""
    turns = _turns(found, start, last)
    starts, ends = _snapshots(turns, "start"), _snapshots(turns, "end")
    return (starts[0], ends[-1]) if starts and ends else None


def _snapshots(turns: Sequence[Json], moment: str) -> list[str]:
    """Return the trees that the steps of turns recorded at one moment of each, their ``start`` or ``end``."""
    snapshots = [cast("Json", item.get("snapshot") or {}) for item in turns]
    return [snapshot[moment] for snapshot in snapshots if snapshot.get(moment)]


def _turns(found: Sequence[Json], start: str | None, last: str | None) -> Sequence[Json]:
    """Return the messages of a range of turns: of the first alone without a last one, and of all without either."""
    ids = [item["id"] for item in found]
    first = ids.index(start) if start else 0
    through = ids.index(last or start) if last or start else max(len(ids) - 1, 0)
    for place in range(through, len(ids)):
        if found[place]["type"] == "idle":
            return found[first:place]
    return found[first:]


async def _holds(repository: Path, tree: str) -> bool:
    return (await _run(repository, "cat-file", "-e", f"{tree}^{{tree}}", check=False)) is not None


async def _files(repository: Path, start: str, end: str, context: str) -> list[Json]:
    found: list[Json] = []
    statuses = _lines(await _run(repository, "diff", "--no-renames", "--name-status", "-z", start, end))
    for letter, name in zip(statuses[::2], statuses[1::2], strict=True):
        patch = await _run(repository, "diff", "--no-renames", f"-U{context}", start, end, "--", name) or ""
        changed = [line for line in patch.splitlines() if not line.startswith(("+++", "---"))]
        found.append(
            {
                "file": name,
                "patch": patch,
                "additions": sum(line.startswith("+") for line in changed),
                "deletions": sum(line.startswith("-") for line in changed),
                "status": STATUS.get(letter[0], "modified"),
            }
        )
    return found


def _lines(text: str | None) -> list[str]:
    return [part for part in (text or "").split("\0") if part]


async def _run(repository: Path, *arguments: str, check: bool = True) -> str | None:
    """Run git on a repository of snapshots; None: it failed and that is an answer."""
    with anyio.fail_after(GIT_LIMIT):
        done = await anyio.run_process(["git", f"--git-dir={repository}", *arguments], check=check)
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
