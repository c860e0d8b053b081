"""Worktrees, which the preview has only for projects that it has converted from version 1.

They are made as the preview makes them, with git and without a branch.
"""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from anyio import run_process
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.harness.opencode2.proxy.replies import failed, not_presented

if TYPE_CHECKING:
    from tests.harness.opencode2.proxy.upstream import Json

DONE = 204


class Worktrees:
    """Serves the routes of worktrees.

    Args:
        data: Folder below which the worktrees are made.
    """

    def __init__(self, data: Path) -> None:
        self._data = data

    async def list(self, request: Request) -> Response:
        """Serve ``GET /api/worktree``."""
        folder = self._folder(request.query_params["projectID"])
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return JSONResponse([{"directory": str(each), "strategy": "git_worktree"} for each in found])

    async def create(self, request: Request) -> Response:
        """Serve ``POST /api/worktree``."""
        body = cast("Json", await request.json())
        directory = self._folder(body["projectID"]) / body["name"]
        if "from" not in body:
            return not_presented("a worktree of a project's own folder, which the preview does not tell")
        refusal = await _git(body["from"], "worktree", "add", "--detach", str(directory), "HEAD")
        if refusal:
            return failed(400, "WorktreeError", refusal)
        return JSONResponse({"directory": str(directory)})

    async def remove(self, request: Request) -> Response:
        """Serve ``DELETE /api/worktree``."""
        body = cast("Json", await request.json())
        force = ["--force"] if body["force"] else []
        refusal = await _git(body["directory"], "worktree", "remove", *force, body["directory"])
        return failed(400, "WorktreeError", refusal) if refusal else Response(status_code=DONE)

    def _folder(self, project: str) -> Path:
        return self._data / "worktree" / project


async def _git(directory: str, *arguments: str) -> str:
    """Run git, and return its complaint; empty if it succeeds."""
    done = await run_process(["git", "-C", directory, *arguments], check=False)
    return done.stderr.decode() if done.returncode else ""
