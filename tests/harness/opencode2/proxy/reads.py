"""Reads that the preview has in another form, or not at all: the server, configuration, version control, files."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import anyio
import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.harness.opencode2.proxy import shapes
from tests.harness.opencode2.proxy.places import directory_of
from tests.harness.opencode2.proxy.replies import failed, passed
from tests.harness.opencode2.proxy.upstream import Json, Refused, Upstream, raw_path

VERSION = "2.1.2"
"""The released version whose contract the proxy implements."""
DEFECT = 500
"""The preview's status for a file that is not there."""
NAMES = ("opencode.json", "opencode.jsonc")
DEFAULT_BRANCHES = ("main", "master")
"""Names of which the first one that a repository has is its default branch."""


class Reads:
    """Serves reads."""

    def __init__(self, upstream: Upstream, url: str) -> None:
        self._upstream = upstream
        self._url = url

    async def info(self, _request: Request) -> Response:
        """Serve ``GET /api/info``, with the process id of the proxy: it is the server that a client sees."""
        await self._upstream.ask("GET", "/api/health")
        return JSONResponse(
            {"version": VERSION, "pid": os.getpid(), "urls": [self._url], "paths": {"tmp": gettempdir()}}
        )

    async def config(self, request: Request) -> Response:
        """Serve ``GET /api/config``: documents and folders from lowest to highest, not merged."""
        paths = [path for path in _config_files(Path(directory_of(request))) if path.exists()]
        found = [_entry(path) for path in paths]
        content = os.environ.get("OPENCODE_CONFIG_CONTENT")
        return JSONResponse([*found, _document(content)] if content else found)

    async def vcs(self, request: Request) -> Response:
        """Serve ``GET /api/vcs``."""
        directory = directory_of(request)
        current = await _git(directory, "branch", "--show-current")
        found: Json = {"branch": {}}
        if current is not None:
            found = {"provider": "git", "branch": {"current": current}}
            usual = (
                await _git(directory, "branch", "--format=%(refname:short)", "--list", *DEFAULT_BRANCHES) or ""
            ).split()
            found["branch"] |= {"default": usual[0]} if usual else {}
        return JSONResponse({"location": {"directory": directory}, "data": found})

    async def file(self, request: Request) -> Response:
        """Serve ``GET /api/fs/read/*``."""
        reply = await self._look_at(request)
        return no_file(request) if reply is None else passed(reply)

    async def files(self, request: Request) -> Response:
        """Serve ``GET /api/fs/list``."""
        reply = await self._look_at(request)
        return no_file(request) if reply is None else JSONResponse(shapes.place(reply.json()))

    async def _look_at(self, request: Request) -> httpx.Response | None:
        """Pass a request about a file on; None: the file is missing, which is a defect to the preview."""
        try:
            return await self._upstream.send("GET", raw_path(request), params=request.query_params)
        except Refused as refused:
            if refused.reply.status_code != DEFECT:
                raise
            return None


async def _git(directory: str, *arguments: str) -> str | None:
    """Return what git prints in a directory; ``None`` if it fails, as outside of a repository."""
    with anyio.fail_after(60):
        done = await anyio.run_process(["git", "-C", directory, *arguments], check=False)
    return None if done.returncode else done.stdout.decode().strip()


def no_file(request: Request) -> Response:
    """The reply to a request for a file that is not there."""
    name = request.path_params.get("path") or request.query_params.get("path", "")
    return failed(404, "FileNotFoundError", f"File not found: {name}", path=name)


def _document(text: str, **place: str) -> Json:
    return {"type": "document", "info": json.loads(text), **place}


def _entry(path: Path) -> Json:
    if path.is_dir():
        return {"type": "directory", "path": str(path)}
    return _document(path.read_text("utf-8"), path=str(path))


def _config_files(directory: Path) -> Iterator[Path]:
    """Give the places of configuration, from lowest to highest priority."""
    home = Path(os.environ.get("OPENCODE_CONFIG_DIR") or Path(os.environ["XDG_CONFIG_HOME"]) / "opencode")
    yield from (home / name for name in NAMES)
    yield home
    if "OPENCODE_CONFIG" in os.environ:
        yield Path(os.environ["OPENCODE_CONFIG"])
    for folder in (*reversed(directory.parents), directory):
        yield from (folder / name for name in NAMES)
        yield from (folder / ".opencode" / name for name in NAMES)
        yield folder / ".opencode"
