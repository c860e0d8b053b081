"""Cases of files, search, the project, version control, worktrees and workspaces."""

import anyio

from tests.harness.project import git
from tests.harness.waiting import eventually
from tests.integration.operations.cases.case import case
from tests.integration.operations.world import World


@case("file.list", {}, "`path` is missing")
async def list_files(world: World) -> None:
    found = await world.call("file.list", path="src")
    assert [item["path"] for item in found] == ["src/greet.py"]


@case("file.read", {"path": "../opencode.log"}, "`path` must not climb")
async def read_file(world: World) -> None:
    assert (await world.call("file.read", path="docs/notes.txt"))["content"] == "one\ntwo\nthree"


@case("file.status")
async def file_status(world: World) -> None:
    (world.project / "README.md").write_text("Changed\n", encoding="utf-8")
    assert await world.call("file.status") == []  # as the note of it says; vcs.status is not in the seed


@case("find.text", {"query": "greet"}, "`pattern` is missing")
async def find_text(world: World) -> None:
    found = await world.call("find.text", pattern="def gr..t")
    assert [(item["path"]["text"], item["line_number"]) for item in found] == [("src/greet.py", 1)]


@case("find.files", {"query": "greet", "limit": 999}, "`limit` must be 200 or less")
async def find_files(world: World) -> None:
    assert (await world.call("find.files", query="greet", type="file"))[0] == "src/greet.py"


@case("find.symbols", {}, "`query` is missing")
async def find_symbols(world: World) -> None:
    assert await world.call("find.symbols", query="greet") == []


@case("path.get", {"directory": "/"}, "The directory '/' is outside of what is allowed")
async def path(world: World) -> None:
    found = await world.call("path.get")
    assert (found["directory"], found["worktree"]) == (str(world.project), str(world.project))


@case("project.current", {"workspace": "wrk_nosuch"}, "no workspace 'wrk_nosuch'")
async def current_project(world: World) -> None:
    assert (await world.call("project.current"))["worktree"] == str(world.project)


@case("project.list")
async def projects(world: World) -> None:
    listed = {item["worktree"] for item in await world.call("project.list")}
    assert listed - {str(world.tracked)} == {str(world.project)}


@case("project.update", {"projectID": "nosuchproject", "name": "x"}, "No allowed directory belongs to the project")
async def update_project(world: World) -> None:
    project = (await world.call("project.current"))["id"]
    await world.call("project.update", projectID=project, name="Renamed")
    names = {item["worktree"]: item.get("name") for item in await world.call("project.list")}
    names.pop(str(world.tracked), None)
    assert names == {str(world.project): "Renamed"}


@case("vcs.get")
async def vcs(world: World) -> None:
    assert (await world.call("vcs.get"))["branch"] == "main"


@case("worktree.create", {"name": 5}, "`name` must be a text")
async def create_worktree(world: World) -> None:
    made = await world.call("worktree.create", name="side")
    assert made["branch"] in git(world.project, "branch", "--list", made["branch"])
    assert await anyio.Path(made["directory"]).is_dir()


@case("worktree.list")
async def list_worktrees(world: World) -> None:
    made = await world.call("worktree.create", name="listed")

    async def is_listed() -> bool:
        return made["directory"] in await world.call("worktree.list")

    # OpenCode may still write the list without it for the worktree before, until it has opened this one.
    await eventually(is_listed)


@case("worktree.reset", {"directory": "/etc"}, "The directory '/etc' is outside of what is allowed")
async def reset_worktree(world: World) -> None:
    made = await world.call("worktree.create", name="messy")
    stray = anyio.Path(made["directory"]) / "stray.txt"
    await stray.write_text("x", encoding="utf-8")
    assert await world.call("worktree.reset", directory=made["directory"]) is True
    assert not await stray.exists()


@case("worktree.remove", {}, "`directory` is missing")
async def remove_worktree(world: World) -> None:
    made = await world.call("worktree.create", name="gone")
    assert await world.call("worktree.remove", directory=made["directory"]) is True
    assert not await anyio.Path(made["directory"]).exists()


@case("experimental.workspace.create", {}, "`type` is missing")
async def create_workspace(world: World) -> None:
    made = await world.call("experimental.workspace.create", type="worktree")
    assert await anyio.Path(made["directory"]).is_dir()
    await world.call("experimental.workspace.remove", id=made["id"])


@case("experimental.workspace.list")
async def list_workspaces(world: World) -> None:
    made = await world.call("experimental.workspace.create", type="worktree")
    assert made["id"] in {item["id"] for item in await world.call("experimental.workspace.list")}
    await world.call("experimental.workspace.remove", id=made["id"])


@case("experimental.workspace.remove", {"id": "wrk_nosuch"}, "no workspace 'wrk_nosuch'")
async def remove_workspace(world: World) -> None:
    made = await world.call("experimental.workspace.create", type="worktree")
    await world.call("experimental.workspace.remove", id=made["id"])
    assert made["id"] not in {item["id"] for item in await world.call("experimental.workspace.list")}
