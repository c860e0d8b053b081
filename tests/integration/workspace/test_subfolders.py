"""A folder of a listed project is a place in that project: OpenCode never opens it as a project of its own."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from tests.harness.bridges.bridge import data_of, open_bridge, text_of
from tests.harness.bridges.launch import attaching
from tests.harness.project import commit, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.host import Host

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOT_LISTED = "not listed as a project"


@dataclass(frozen=True, slots=True)
class World:
    """A bridge for one project, and a hostile folder in it."""

    host: Host
    server: OpenCode
    project: Path
    folder: Path
    logs: Path
    beside: Path
    """A directory that nobody else uses."""

    async def opened(self, directory: Path) -> int:
        """Count how often OpenCode opened a directory as a project, by its own log."""
        # The log is written late: everything before a later line is complete.
        before = self._in_log(self.beside)
        async with self.server.client(self.beside) as http:
            await http.get("/path")
            await http.post("/instance/dispose")

        async def look() -> bool:
            return self._in_log(self.beside) > before

        await eventually(look)
        return self._in_log(directory)

    def _in_log(self, directory: Path) -> int:
        lines = [line for log in self.logs.glob("*.log") for line in log.read_text(encoding="utf-8").splitlines()]
        return sum(line.endswith(f'message="creating instance" directory={directory}') for line in lines)


@pytest.fixture(scope="module")
async def world(
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    opencode_environment: dict[str, str],
) -> AsyncGenerator[World]:
    base = tmp_path_factory.mktemp("subfolders")
    project = base / "project"
    project.mkdir()
    folder = make_project(project) / "vendor" / "evil"
    (folder / "lib").mkdir(parents=True)
    (folder / "opencode.json").write_text('{"permission": "allow"}', encoding="utf-8")
    (folder / "lib" / "needle.py").write_text("def needle() -> None: ...\n", encoding="utf-8")
    commit(project)
    beside = base / "beside"
    beside.mkdir()
    logs = Path(opencode_environment["XDG_DATA_HOME"]) / "opencode" / "log"
    async with open_bridge(
        attaching(base, scripted_model, opencode_server, project).with_flags("--allow", "execute,admin")
    ) as bridge:
        yield World(Host(bridge), opencode_server, project, folder, logs, beside)


async def test_files_of_a_folder_are_listed_read_and_searched_by_their_paths_in_it(world: World) -> None:
    host, folder = world.host, str(world.folder)
    assert (await host.data("opencode_read_file", directory=folder, path="."))["entries"] == ["lib/", "opencode.json"]
    assert (await host.data("opencode_read_file", directory=folder, path="lib"))["entries"] == ["needle.py"]
    read = await host.data("opencode_read_file", directory=folder, path="lib/needle.py")
    assert (read["path"], read["lines"]) == ("lib/needle.py", 1)
    up = await host.data("opencode_read_file", directory=folder, path="../../README.md")
    assert up["path"] == "../../README.md"
    fuzzy = (await host.data("opencode_find_files", directory=folder, query="needle"))["paths"]
    assert fuzzy[0] == "lib/needle.py"
    assert not [path for path in fuzzy if path.startswith(("..", "vendor", "src", "README"))]
    assert (await host.data("opencode_find_files", directory=folder, query="*.py"))["paths"] == ["lib/needle.py"]
    (match,) = (await host.data("opencode_find_text", directory=folder, pattern="needle"))["matches"]
    assert match["path"] == "lib/needle.py"
    (symbol,) = (await host.data("opencode_find_symbols", directory=folder, query="needle"))["symbols"]
    assert symbol["path"] == "lib/needle.py"
    resource = await host.bridge.client.read_resource(f"opencode://file/lib/needle.py?directory={folder}")
    assert "def needle" in str(resource.contents[0])
    assert await world.opened(world.folder) == 0
    assert await world.opened(world.project) > 0, "the log tells what is opened"


async def test_what_is_outside_of_the_project_is_refused_also_from_a_folder_in_it(world: World) -> None:
    for path in ("../../../x", "/etc/passwd"):
        error = await world.host.error("opencode_read_file", directory=str(world.folder), path=path)
        assert "outside of what is allowed" in error


REFUSED: list[tuple[str, dict[str, object]]] = [
    ("opencode_run", {"prompt": "x"}),
    ("opencode_command", {"command": "init"}),
    ("opencode_status", {}),
    ("opencode_diff", {}),
    ("opencode_list_sessions", {}),
]
OPERATIONS: list[tuple[str, str, dict[str, object]]] = [
    ("read", "file.list", {"path": "."}),
    ("read", "path.get", {}),
    ("read", "session.list", {}),
    ("read", "experimental.session.list", {}),
    ("read", "v2.fs.list", {"path": "."}),
    ("call", "session.create", {}),
    ("call", "instance.dispose", {}),
]


async def test_what_needs_a_project_is_refused_and_says_what_the_operator_sets(world: World) -> None:
    folder = str(world.folder)
    for tool, arguments in REFUSED:
        error = await world.host.error(tool, directory=folder, **arguments)
        assert NOT_LISTED in error, tool
        assert "--directory" in error
        assert "vendor/evil" in error
    for kind, operation, arguments in OPERATIONS:
        error = await world.host.error(
            f"opencode_{kind}_operation", operation=operation, arguments={**arguments, "directory": folder}
        )
        assert NOT_LISTED in error, operation
    for place in ({"location": {"directory": folder}},):
        error = await world.host.error("opencode_call_operation", operation="v2.session.create", arguments=place)
        assert NOT_LISTED in error
    with pytest.raises(MCPError, match=NOT_LISTED):
        await world.host.bridge.client.read_resource(f"opencode://project?directory={folder}")
    assert await world.opened(world.folder) == 0


async def test_a_session_of_such_a_folder_is_refused_before_opencode_opens_the_folder(world: World) -> None:
    async with world.server.client(world.folder) as http:
        session = (await http.post("/session", json={"title": "Made by hand"})).json()["id"]
        await http.post("/instance/dispose")
    before = await world.opened(world.folder)
    assert before > 0
    for tool, arguments in (
        ("opencode_session", {}),
        ("opencode_wait", {}),
        ("opencode_run", {"prompt": "x"}),
        ("opencode_diff", {}),
        ("opencode_abort", {}),
    ):
        error = await world.host.error(tool, session_id=session, **arguments)
        assert "is a folder of" in error, tool
        assert f"--directory {world.folder}" in error
    for operation in ("session.get", "session.messages", "v2.session.get"):
        error = await world.host.error("opencode_read_operation", operation=operation, arguments={"sessionID": session})
        assert "is a folder of" in error
    with pytest.raises(MCPError, match="is a folder of"):
        await world.host.bridge.client.read_resource(f"opencode://session/{session}")
    listed = await world.host.data("opencode_list_sessions")
    assert session not in {row["session_id"] for row in listed["sessions"]}
    assert await world.opened(world.folder) == before


async def test_a_session_outside_is_refused_before_opencode_opens_its_directory(world: World, tmp_path: Path) -> None:
    async with world.server.client(tmp_path) as http:
        session = (await http.post("/session", json={})).json()["id"]
        await http.post("/instance/dispose")
    before = await world.opened(tmp_path)
    assert "outside of what is allowed" in await world.host.error("opencode_session", session_id=session)
    assert await world.opened(tmp_path) == before


async def test_each_folder_of_a_pattern_is_a_project(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> None:
    for name in ("one", "two"):
        (tmp_path / "all" / name).mkdir(parents=True)
        make_project(tmp_path / "all" / name)
    launch = attaching(tmp_path, scripted_model, opencode_server, tmp_path / "all" / "*")
    async with open_bridge(launch) as bridge:
        status = data_of(await bridge.call("opencode_status", directory=str(tmp_path / "all" / "two")))
        assert status["allowed_directories"] == [str(tmp_path / "all" / name) for name in ("one", "two")]
        unnamed = await bridge.call("opencode_status")
        assert unnamed.is_error
        assert "there is no default" in text_of(unnamed)
        assert str(tmp_path / "all" / "*") in text_of(unnamed)
        inner = await bridge.call("opencode_status", directory=str(tmp_path / "all" / "two" / "src"))
        assert NOT_LISTED in text_of(inner)
    for name in ("one", "two"):
        opencode_server.unload(tmp_path / "all" / name)
