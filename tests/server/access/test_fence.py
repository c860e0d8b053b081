"""Callers may work only where the operator lets them, however they write the way there."""

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from opencode_mcp.errors import BridgeError, InvalidArgument, InvalidSetting, NotAllowed, NotFound, SettingsChange
from opencode_mcp.launcher.health import connected
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.server.access.fence import Fence
from opencode_mcp.settings import Settings
from opencode_mcp.workspace.project_folder import ProjectFolder
from tests.harness.faults.swapping import swapping
from tests.harness.servers.opencode import OpenCode

pytestmark = pytest.mark.anyio

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")


@pytest.fixture
async def client(opencode_server: OpenCode) -> AsyncGenerator[OpenCodeClient]:
    async with connected(Endpoint(url=opencode_server.url, password=opencode_server.password)) as connection:
        yield connection


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.mkdir()
    (path / "secret.txt").write_text("hush", encoding="utf-8")
    return path


@pytest.fixture
def fence(client: OpenCodeClient, project: Path) -> Fence:
    return Fence(Settings(directories=(str(project),)), client)


@pytest.fixture
def far(client: OpenCodeClient, project: Path) -> Fence:
    """A fence that counts OpenCode's disk as another machine's."""
    return Fence(Settings(url="http://far.example", directories=(str(project),)), client)


async def test_the_first_directory_is_the_default(client: OpenCodeClient, project: Path, outside: Path) -> None:
    fence = Fence(Settings(directories=(str(project), str(outside))), client)
    assert await fence.directory() == str(project)
    assert await fence.directory(str(outside)) == str(outside)
    assert await fence.roots() == [str(project), str(outside)]


async def test_without_any_the_directory_that_the_bridge_was_started_in_is_allowed(
    client: OpenCodeClient, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert await Fence(Settings(), client).directory() == str(project)


async def test_started_in_the_root_of_the_disk_it_allows_nothing(
    client: OpenCodeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path.cwd().anchor)
    with pytest.raises(InvalidSetting, match="--directory"):
        await Fence(Settings(), client).directory()


async def test_a_folder_below_a_listed_directory_is_a_place_in_its_project(fence: Fence, project: Path) -> None:
    assert await fence.place(str(project / "src")) == ProjectFolder(str(project), "src")
    assert await fence.place(f"{project}/src/../docs/") == ProjectFolder(str(project), "docs")
    assert await fence.folder(str(project / "src")) == str(project / "src")
    assert await fence.place() == ProjectFolder(str(project))


async def test_a_folder_below_a_listed_directory_is_no_project_of_its_own(fence: Fence, project: Path) -> None:
    with pytest.raises(NotAllowed, match="not listed as a project") as refused:
        await fence.directory(str(project / "src"))
    assert f"Work in {project} and say which folder is meant: src." in refused.value.hint
    assert refused.value.change
    assert f"--directory {project / 'src'}" in refused.value.change.flags


async def test_a_folder_that_is_listed_too_is_a_project_and_holds_what_is_in_it(
    client: OpenCodeClient, project: Path
) -> None:
    fence = Fence(Settings(directories=(str(project), str(project / "src"))), client)
    (project / "src" / "deep").mkdir()
    assert await fence.directory(str(project / "src")) == str(project / "src")
    assert await fence.place(str(project / "src" / "deep")) == ProjectFolder(str(project / "src"), "deep")


async def test_a_pattern_lists_each_folder_that_fits_also_one_that_is_made_later(
    client: OpenCodeClient, tmp_path: Path
) -> None:
    for name in ("shop", "blog/src", ".hidden"):
        (tmp_path / "all" / name).mkdir(parents=True)
    fence = Fence(Settings(directories=(f"{tmp_path}/all/*",), started_in=tmp_path), client)
    assert await fence.every_root() == [str(tmp_path / "all" / name) for name in ("blog", "shop")]
    (tmp_path / "all" / "new").mkdir()
    assert await fence.directory(str(tmp_path / "all" / "new")) == str(tmp_path / "all" / "new")
    assert await fence.place(str(tmp_path / "all" / "blog" / "src")) == ProjectFolder(
        str(tmp_path / "all" / "blog"), "src"
    )
    for refused in ("all", "all/.hidden", "all/blog/src"):
        with pytest.raises(NotAllowed):
            await fence.directory(str(tmp_path / refused))
    assert await fence.roots() == [str(tmp_path / "all" / name) for name in ("new", "blog")], "only those that are used"


async def test_a_pattern_has_no_default_unless_the_bridge_was_started_in_one_of_its_folders(
    client: OpenCodeClient, tmp_path: Path
) -> None:
    (tmp_path / "all" / "shop").mkdir(parents=True)
    pattern = (f"{tmp_path}/all/*",)
    with pytest.raises(InvalidArgument, match="there is no default") as refused:
        await Fence(Settings(directories=pattern, started_in=tmp_path), client).directory()
    assert f"{tmp_path}/all/*" in refused.value.hint
    within = Fence(Settings(directories=pattern, started_in=tmp_path / "all" / "shop"), client)
    assert await within.directory() == str(tmp_path / "all" / "shop")


@needs_links
async def test_a_link_that_fits_a_pattern_leads_to_nothing_that_is_allowed(
    client: OpenCodeClient, tmp_path: Path, outside: Path
) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "shop").symlink_to(outside)
    fence = Fence(Settings(directories=(f"{tmp_path}/all/*",), started_in=tmp_path), client)
    assert await fence.every_root() == []
    with pytest.raises(NotAllowed, match="outside"):
        await fence.directory(str(tmp_path / "all" / "shop"))


@needs_links
async def test_a_listed_directory_that_is_swapped_for_a_link_does_not_move_the_fence(
    client: OpenCodeClient, tmp_path: Path, outside: Path
) -> None:
    listed = tmp_path / "listed"
    listed.mkdir()
    fence = Fence(Settings(directories=(str(listed),)), client)
    await fence.directory()
    listed.rmdir()
    listed.symlink_to(outside)
    with pytest.raises(NotAllowed):
        await fence.directory(str(listed))
    with pytest.raises(NotAllowed):
        await fence.file(str(listed), "secret.txt")


async def test_a_listed_directory_that_was_removed_is_named_and_works_again_once_it_is_back(
    client: OpenCodeClient, tmp_path: Path
) -> None:
    listed, other = tmp_path / "listed", tmp_path / "other"
    listed.mkdir()
    other.mkdir()
    fence = Fence(Settings(directories=(str(listed), str(other))), client)
    assert await fence.directory() == str(listed)
    listed.rmdir()
    with pytest.raises(NotFound, match=f"There is no directory '{listed}'") as missing:
        await fence.directory()
    assert "was removed" in missing.value.hint
    assert await fence.directory(str(other)) == str(other)
    listed.mkdir()
    assert await fence.directory() == str(listed)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("src", InvalidArgument, "'src' is relative"),
        ("./src", InvalidArgument, "Give an absolute path in "),
        ("{project}/scr", NotFound, "Near it: src."),
        ("{project}/README.md", NotFound, "There is no directory"),
        ("{project}/..", NotAllowed, "Allowed: {project}."),
        ("{project}/src/../..", NotAllowed, "outside"),
        ("{project}-twin", NotAllowed, "outside"),
        ("{outside}", NotAllowed, "'{outside}' is outside of what is allowed"),
    ],
)
async def test_a_directory_that_may_not_be_named_is_refused_with_what_may(
    fence: Fence, project: Path, outside: Path, name: str, kind: type[BridgeError], said: str
) -> None:
    places = {"project": project, "outside": outside}
    with pytest.raises(kind) as refused:
        await fence.directory(name.format(**places))
    assert said.format(**places) in str(refused.value)


async def test_a_refusal_has_the_flags_that_allow_the_directory_besides_the_present_ones(
    fence: Fence, project: Path, outside: Path
) -> None:
    for name in (outside, project / "src"):
        with pytest.raises(NotAllowed) as refused:
            await fence.directory(str(name))
        assert refused.value.change
        flags = f"--directory {project} --directory {name}"
        assert refused.value.change == SettingsChange(flags, missing=f"--directory {name}")
        assert "must trust the directory" in refused.value.remark


async def test_a_refusal_names_only_the_missing_directory_if_flags_list_the_others(
    client: OpenCodeClient, project: Path, outside: Path
) -> None:
    listed = Settings(directories=(str(project),), flags=frozenset({"directories"}))
    with pytest.raises(NotAllowed) as refused:
        await Fence(listed, client).directory(str(outside))
    change = f"--directory {outside}"
    assert refused.value.change == SettingsChange(change, missing=change)


async def test_a_file_elsewhere_is_refused_with_the_flags_for_its_folder_unless_a_link_leads_there(
    fence: Fence, project: Path, outside: Path
) -> None:
    with pytest.raises(NotAllowed) as refused:
        await fence.relative(str(project), str(outside / "notes" / "a.txt"))
    assert refused.value.change
    assert refused.value.change.flags == f"--directory {project} --directory {outside / 'notes'}"
    (project / "link").symlink_to(outside)
    for name in ("link/notes/a.txt", "/top.txt"):
        with pytest.raises(NotAllowed) as refused:
            await fence.relative(str(project), name)
        assert refused.value.change is None
        assert str(outside) not in str(refused.value)


async def test_a_path_of_another_listed_project_is_refused_and_names_that_project(
    client: OpenCodeClient, project: Path, outside: Path
) -> None:
    fence = Fence(Settings(directories=(str(project), str(outside))), client)
    with pytest.raises(NotAllowed, match="outside of what is allowed") as refused:
        await fence.file(str(project), str(outside / "secret.txt"))
    assert f'give directory="{outside}"' in refused.value.hint


@needs_links
async def test_a_link_leads_to_where_it_points(fence: Fence, project: Path, outside: Path) -> None:
    (project / "out").symlink_to(outside)
    (project / "in").symlink_to(project / "src")
    with pytest.raises(NotAllowed):
        await fence.directory(str(project / "out"))
    with pytest.raises(NotAllowed):
        await fence.file(str(project), "out/secret.txt")
    assert await fence.folder(str(project / "in")) == str(project / "src")


@needs_links
async def test_links_that_go_in_a_circle_lead_nowhere(fence: Fence, project: Path) -> None:
    (project / "round").symlink_to(project / "about")
    (project / "about").symlink_to(project / "round")
    with pytest.raises(NotFound):
        await fence.directory(str(project / "round"))
    with pytest.raises(NotFound):
        await fence.existing_file(str(project), "round/greet.py")
    with pytest.raises(NotAllowed):
        await fence.file(str(project), "round/../../outside")


@needs_links
async def test_an_allowed_directory_that_is_a_link_allows_what_it_points_to(
    client: OpenCodeClient, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(project)
    fence = Fence(Settings(directories=(str(tmp_path / "link"),)), client)
    assert await fence.directory() == str(project)
    assert await fence.folder(str(tmp_path / "link" / "src")) == str(project / "src")


@pytest.mark.parametrize("name", ["src/greet.py", "{project}/src/greet.py", "src/../src/./greet.py", "no/such.txt"])
async def test_a_file_is_named_from_its_project_or_in_full_and_need_not_exist(
    fence: Fence, project: Path, name: str
) -> None:
    path = Path(await fence.file(str(project), name.format(project=project)))
    assert path in {project / "src/greet.py", project / "no/such.txt"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", InvalidArgument),
        ("  ", InvalidArgument),
        ("a\0b", InvalidArgument),
        ("../outside/secret.txt", NotAllowed),
        ("/etc/passwd", NotAllowed),
        ("{outside}/secret.txt", NotAllowed),
    ],
)
async def test_a_file_outside_its_project_is_refused(
    fence: Fence, project: Path, outside: Path, name: str, kind: type[BridgeError]
) -> None:
    with pytest.raises(kind):
        await fence.file(str(project), name.format(outside=outside))


async def test_an_existing_file_is_distinguished_from_a_folder_and_from_a_missing_one(
    fence: Fence, project: Path
) -> None:
    assert await fence.existing_file(str(project), "README.md") == str(project / "README.md")
    assert await fence.existing_file(str(project), "src") == f"{project / 'src'}/"
    with pytest.raises(NotFound, match=r"Near it: greet\.py"):
        await fence.existing_file(str(project), "src/great.py")


@needs_links
async def test_a_folder_that_is_swapped_for_a_link_gives_no_names_of_outside(
    fence: Fence, project: Path, outside: Path
) -> None:
    hints: set[str] = set()
    (project / "folder").mkdir()
    with swapping(project / "folder", outside):
        for _ in range(400):
            for look in (
                fence.existing_file(str(project), "folder/secre.txt"),
                fence.folder(f"{project}/folder/secre"),
            ):
                with pytest.raises(BridgeError) as refused:
                    await look
                hints.add(refused.value.hint)
    assert not any("secret" in hint for hint in hints)


async def test_a_session_is_known_by_its_id_and_must_work_inside(
    fence: Fence, opencode_server: OpenCode, project: Path, outside: Path
) -> None:
    async with opencode_server.client(project) as http:
        mine = await _session(http)
    async with opencode_server.client(outside) as http:
        other = await _session(http)
    assert (await fence.session(mine)).directory == str(project)
    with pytest.raises(NotAllowed, match=other):
        await fence.session(other)


@pytest.mark.parametrize(
    ("session_id", "said"),
    [
        ("ses_nosuch", "There is no session 'ses_nosuch'"),
        ("nosuch", "'nosuch' is not a session id"),
        ("", "is not a session id"),
    ],
)
async def test_an_unknown_session_is_not_found_with_where_to_look(fence: Fence, session_id: str, said: str) -> None:
    with pytest.raises(NotFound) as refused:
        await fence.session(session_id)
    assert said in refused.value.message
    assert "opencode_list_sessions" in refused.value.hint


async def test_what_is_inside_is_distinguished_from_what_is_not(fence: Fence, project: Path, outside: Path) -> None:
    assert await fence.allows(str(project))
    assert not await fence.allows(str(project / "src")), "a folder of a project is no project"
    await fence.check_new_directory(str(project / "src" / "new"))
    for refused in (outside / "new", project / ".." / "new"):
        with pytest.raises(NotAllowed, match="outside of what is allowed"):
            await fence.check_new_directory(str(refused))
    assert not await fence.allows(str(outside))


# Where OpenCode runs on another machine


async def test_another_machines_disk_is_asked_for_what_exists(far: Fence, project: Path) -> None:
    assert await far.folder(str(project / "src")) == str(project / "src")
    with pytest.raises(NotAllowed, match="not listed as a project"):
        await far.directory(str(project / "src"))
    with pytest.raises(NotFound):
        await far.directory(str(project / "scr"))


@pytest.mark.parametrize(
    "name", ["{project}/../outside", "{project}/src/../../outside", "{project}-twin", "/", "relative"]
)
async def test_another_machines_paths_are_compared_without_their_dots(far: Fence, project: Path, name: str) -> None:
    with pytest.raises((NotAllowed, InvalidArgument)):
        await far.directory(name.format(project=project))


async def test_without_any_another_machines_default_is_opencodes_own_directory(
    client: OpenCodeClient, opencode_server: OpenCode
) -> None:
    fence = Fence(Settings(url="http://far.example"), client)
    async with opencode_server.client() as http:
        own = (await http.get("/path")).json()["directory"]
    assert await fence.directory() == own


async def test_windows_paths_of_another_machine_are_understood(client: OpenCodeClient) -> None:
    fence = Fence(Settings(url="http://far.example", directories=("C:\\work",)), client)
    assert await fence.allows("c:/Work")
    await fence.check_new_directory("C:\\work\\project")
    for refused in ("C:\\work\\..\\other", "D:\\work"):
        with pytest.raises(NotAllowed):
            await fence.check_new_directory(refused)
    assert await fence.file("C:\\work", "src\\a.py") == "C:\\work\\src\\a.py"


async def _session(http: httpx.AsyncClient) -> str:
    return (await http.post("/session", json={})).raise_for_status().json()["id"]
