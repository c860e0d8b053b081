"""Files are read from the disk where OpenCode is on this machine, and through it where it may not be."""

import os
import sys
import tracemalloc
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from opencode_mcp.errors import BackendFailed, InvalidArgument, NotFound
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.workspace.file_scan import FileScan, scan_file
from opencode_mcp.workspace.files import ProjectFiles
from opencode_mcp.workspace.line_window import LineWindow
from tests.harness.servers.opencode import OpenCode

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

MEGABYTE = 1_000_000
CONTENTS = {
    "plain.txt": b"one\ntwo\n",
    "spaces.txt": b"\n\n  indented\n\n",
    "latin.txt": b"caf\xe9\n",
    "empty.txt": b"",
    "data.bin": bytes(range(256)),
    "page.html": b"<!doctype html><p>A page</p>\n",
    "deep/a b#c?%.txt": b"odd\n",
}


@pytest.fixture
async def client(opencode_server: OpenCode) -> AsyncGenerator[OpenCodeClient]:
    endpoint = Endpoint(url=opencode_server.url, password=opencode_server.password)
    with anyio.fail_after(120):
        async with connected(endpoint) as connection:
            yield connection


@pytest.fixture(params=["local", "remote"])
def files(request: pytest.FixtureRequest, client: OpenCodeClient) -> ProjectFiles:
    return ProjectFiles(client, remote=request.param == "remote")


@pytest.fixture
def local_files(client: OpenCodeClient) -> ProjectFiles:
    return ProjectFiles(client, remote=False)


async def content(files: ProjectFiles, project: Path, path: str) -> bytes:
    async with files.open(str(project), path) as file:
        return b"".join([piece async for piece in file.pieces])


async def lines(files: ProjectFiles, project: Path, path: str, first: int) -> tuple[list[str], FileScan]:
    window = LineWindow(first, 2, 100, 10_000)
    async with files.open(str(project), path) as file:
        seen = await scan_file(file, window, MEGABYTE)
    return window.lines, seen


@pytest.mark.parametrize("path", CONTENTS)
async def test_a_file_is_read_byte_for_byte(files: ProjectFiles, project: Path, path: str) -> None:
    (project / "deep").mkdir()
    (project / path).write_bytes(CONTENTS[path])
    assert await content(files, project, path) == CONTENTS[path]


@pytest.mark.parametrize("path", ["none.txt", "none/none.txt", "src"])
async def test_what_is_no_file_is_not_found(files: ProjectFiles, project: Path, path: str) -> None:
    with pytest.raises(NotFound):
        await content(files, project, path)


async def test_a_folder_is_recognised_on_the_disk(
    local_files: ProjectFiles, client: OpenCodeClient, project: Path
) -> None:
    paths = ["src", ".", "README.md", "none"]
    assert [local_files.is_folder(str(project), path) for path in paths] == [True, True, False, False]
    assert not ProjectFiles(client, remote=True).is_folder(str(project), "src")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes among files")
async def test_a_pipe_is_refused_and_not_waited_for(local_files: ProjectFiles, project: Path) -> None:
    os.mkfifo(project / "pipe")
    with pytest.raises(InvalidArgument, match="neither a file nor a folder"):
        await content(local_files, project, "pipe")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is unreadable there")
async def test_a_file_that_may_not_be_read_is_reported(local_files: ProjectFiles, project: Path) -> None:
    (project / "secret.txt").touch(mode=0o000)
    with pytest.raises(BackendFailed, match="Permission denied"):
        await content(local_files, project, "secret.txt")


async def test_the_end_of_5_mb_is_read_either_way(files: ProjectFiles, project: Path) -> None:
    (project / "large.txt").write_text("".join(f"{number:>99}\n" for number in range(1, 50_001)), encoding="utf-8")
    shown, seen = await lines(files, project, "large.txt", 49_999)
    assert [line.strip() for line in shown] == ["49999", "50000"]
    assert seen.lines == 50_000


async def test_500_mb_take_no_memory(local_files: ProjectFiles, project: Path) -> None:
    block = b"".join(b"%99d\n" % number for number in range(10_000))
    with (project / "huge.txt").open("wb") as file:
        for _ in range(500):
            file.write(block)
    tracemalloc.start()
    try:
        shown, seen = await lines(local_files, project, "huge.txt", 4_000_001)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        (project / "huge.txt").unlink()
    assert [line.strip() for line in shown] == ["0", "1"]
    assert seen.lines is None
    assert peak < 20 * MEGABYTE


async def test_one_line_of_100_mb_takes_no_memory(local_files: ProjectFiles, project: Path) -> None:
    with (project / "line.txt").open("wb") as file:
        for _ in range(100):
            file.write(b"x" * MEGABYTE)
    tracemalloc.start()
    try:
        shown, seen = await lines(local_files, project, "line.txt", 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert shown == ["x" * 100 + f"… ({100 * MEGABYTE} characters)"]
    assert seen.lines == 1
    assert peak < 20 * MEGABYTE
