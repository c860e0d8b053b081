"""Only the directories that a record names count as worktrees of a listed project on another machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from opencode_mcp.remote_isolation.remote_paths import remote_path
from opencode_mcp.remote_isolation.remote_records import RemoteRecords
from opencode_mcp.server.access.allowed_directories import Roots
from opencode_mcp.settings import Settings
from tests.remote_isolation.far_opencode import READY, REPOSITORY, URL, FarOpenCode, worktrees_of

pytestmark = pytest.mark.anyio


async def test_only_the_recorded_directory_of_a_listed_project_is_allowed(tmp_path: Path) -> None:
    worktrees = worktrees_of(FarOpenCode(events=[READY]), tmp_path)
    made = await worktrees.create(REPOSITORY)
    listing = Roots(Settings(url=URL, directories=(REPOSITORY,)), worktrees.records)
    assert listing.lists(remote_path(made.directory))
    elsewhere = ("/", f"{made.folder}/inner", f"{made.folder}-2", f"/other/{made.name}", str(Path(made.folder).parent))
    assert [place for place in elsewhere if listing.lists(remote_path(place))] == []
    assert not Roots(Settings(url=URL, directories=("/home/me/other",)), worktrees.records).lists(
        remote_path(made.directory)
    )

    await worktrees.assign(made, "ses_1")
    await worktrees.remove(worktrees.of(made.directory))
    assert not listing.lists(remote_path(made.directory))
    assert listing.lists_sessions_of(remote_path(made.directory))


async def test_records_belong_to_the_address_of_opencode(tmp_path: Path) -> None:
    worktrees = worktrees_of(FarOpenCode(events=[READY]), tmp_path)
    made = await worktrees.create(REPOSITORY)
    again = RemoteRecords(tmp_path, f"{URL}/").at(made.directory)
    assert again is not None
    assert again.name == made.name
    assert RemoteRecords(tmp_path, "http://other.example:4096").at(made.directory) is None


async def test_a_record_that_names_another_folder_is_none(tmp_path: Path) -> None:
    worktrees = worktrees_of(FarOpenCode(events=[READY]), tmp_path)
    made = await worktrees.create(REPOSITORY)
    await worktrees.write(replace(made, folder="/etc"))
    assert worktrees.records.read(made.name) is None


def test_a_path_of_windows_is_one_on_any_machine() -> None:
    assert remote_path("C:\\data\\x").name == "x"
