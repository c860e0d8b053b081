"""A project that holds a path at which OpenCode's own search of paths aborts, over stdio."""

from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference

from opencode_mcp.server import uris
from tests.harness.bridges.bridge import OpenBridge
from tests.harness.project import make_long_path
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

QUERIES = ("greet", "a" * 20)


async def test_a_search_beside_a_long_path_finds_what_is_there_and_opencode_goes_on(
    bridge: OpenBridge, project: Path, opencode_server: OpenCode
) -> None:
    make_long_path(project)
    async with opencode_server.client(project) as http, bridge() as opened:
        session = (await http.post("/session", json={})).raise_for_status().json()["id"]
        host = Host(opened)
        for query in QUERIES:
            wanted = ["src/greet.py"] if query == "greet" else []
            found = await host.data("opencode_find_files", query=query, type="file")
            assert [path for path in found["paths"] if len(path) < 100] == wanted
            for operation in ("find.files", "v2.fs.find"):
                arguments = {"query": query, "type": "file", "limit": 1 if operation == "find.files" else "1"}
                error = await host.text("opencode_read_operation", operation=operation, arguments=arguments)
                assert "src/greet.py" in error if wanted else "long.txt" in error
            ref = ResourceTemplateReference(type="ref/resource", uri=uris.FILE_TEMPLATE)
            completion = (await opened.client.complete(ref, {"name": "path", "value": query})).completion
            assert "src/greet.py" in completion.values or not wanted
        for path in ("greet", "greeting/" + "a" * 200):
            error = await host.error("opencode_read_file", path=path)
            assert ("src/greet.py" in error) == (path == "greet")
        with pytest.raises(MCPError, match=r"src/greet\.py"):
            await opened.client.read_resource("opencode://file/greet")
        (await http.get(f"/session/{session}")).raise_for_status()


async def test_the_limit_and_the_switch_of_both_operations_are_kept(bridge: OpenBridge, project: Path) -> None:
    (project / "src" / "greet_all.py").write_text("", encoding="utf-8")
    async with bridge() as opened:
        host = Host(opened)

        async def read(operation: str, **arguments: object) -> str:
            return await host.text("opencode_read_operation", operation=operation, arguments=arguments)

        assert "greet_all" not in await read("find.files", query="greet", limit=1)
        assert "src/" in await read("find.files", query="src", type="directory")
        assert '"src/"' not in await read("find.files", query="src", dirs=False)
        entries = await read("v2.fs.find", query="src", type="directory", limit="5")
        assert '{"path":"src/","type":"directory"}' in entries
        assert str(project) in entries
        for limit in ("0", "x", "201", "-1"):
            error = await host.error(
                "opencode_read_operation", operation="v2.fs.find", arguments={"query": "src", "limit": limit}
            )
            assert "from 1 to 200" in error
