"""Paths that no file system takes, or that lead nowhere: an error with the real cause, from whatever takes a path."""

import sys
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from tests.integration.host import Host

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

HUGE = 2**53 - 1
TOOLS = ("opencode_read_file", "opencode_run", "opencode_status", "opencode_find_files")
BAD = [
    ("a\0b", "holds a NUL character"),
    ("n" * 256, "has a part of 256 bytes"),
    ("n" * 300 + "/x", "has a part of 300 bytes"),
    ("é/" * 1400, "is too long"),
]


def arguments_of(tool: str, workplace: Path, path: str) -> dict[str, object]:
    match tool:
        case "opencode_run":
            return {"prompt": "x", "files": [path]}
        case "opencode_status" | "opencode_find_files":
            query = {"query": "x"} if tool == "opencode_find_files" else {}
            return {"directory": f"{workplace}/{path}", **query}
        case _:
            return {"path": path}


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_path_that_no_file_system_takes_is_refused_with_its_cause(
    host: Host, workplace: Path, tool: str
) -> None:
    for path, said in BAD:
        error = await host.error(tool, **arguments_of(tool, workplace, path))
        assert said in error
        assert "inside this MCP server" not in error
        assert len(error) < 1000


async def test_such_a_path_is_refused_as_a_resource_and_an_operation(host: Host) -> None:
    for path, said in BAD[1:]:
        with pytest.raises(MCPError, match=said):
            await host.bridge.client.read_resource(f"opencode://file/{path}")
        error = await host.error("opencode_read_operation", operation="file.read", arguments={"path": path})
        assert said in error


async def test_a_search_with_a_nul_says_so(host: Host) -> None:
    for tool, arguments in (
        ("opencode_find_text", {"pattern": "a\0b"}),
        ("opencode_find_text", {"pattern": "a", "include": ["*.\0"]}),
        ("opencode_find_files", {"query": "a\0"}),
        ("opencode_find_files", {"query": "*\0"}),
        ("opencode_find_symbols", {"query": "a\0b"}),
    ):
        assert "holds a NUL character" in await host.error(tool, **arguments)


async def test_huge_numbers_are_answered(host: Host) -> None:
    assert "has 3 lines" in await host.error("opencode_read_file", path="docs/notes.txt", first=HUGE)
    for cursor in (str(HUGE), "9" * 5000):
        for tool, arguments in (("opencode_find_files", {"query": "x"}), ("opencode_find_text", {"pattern": "x"})):
            error = await host.error(tool, cursor=cursor, **arguments)
            assert "cursor" in error
            assert "inside this MCP server" not in error
    found = await host.data("opencode_find_text", pattern="def greet", per_file=HUGE)
    assert found["matches"]


@pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")
async def test_links_in_a_circle_lead_nowhere(host: Host, workplace: Path, era: str) -> None:
    one, two = workplace / f"one-{era}", workplace / f"two-{era}"
    one.symlink_to(two)
    two.symlink_to(one)
    try:
        for tool in TOOLS:
            error = await host.error(tool, **arguments_of(tool, workplace, one.name))
            assert "There is no" in error or "go in a circle" in error
    finally:
        one.unlink()
        two.unlink()
