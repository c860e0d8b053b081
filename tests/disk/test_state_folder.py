"""The folder that bridges share is theirs alone, and refused where another user could change it."""

import os
import stat
import sys
from pathlib import Path

import pytest

from opencode_mcp.disk.state_folder import check_kind, prepare_folder, shared_key
from opencode_mcp.errors import InvalidSetting

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a user's folders from others by itself")
as_root = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give files away")
SOMEBODY = 4242


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "above" / "state"
    prepare_folder(folder)
    return folder


def refusal(folder: Path) -> str:
    """Return the error for an unsafe folder; its key is not used either."""
    with pytest.raises(InvalidSetting) as caught:
        prepare_folder(folder)
    with pytest.raises(InvalidSetting):
        shared_key(folder)
    return str(caught.value)


def test_a_new_folder_is_its_owners_alone(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert shared_key(folder) == shared_key(folder)


def test_a_relative_folder_is_refused() -> None:
    assert "relative" in refusal(Path("state"))


@pytest.mark.parametrize("mode", [0o777, 0o703])
def test_a_folder_that_others_can_write_to_is_refused_with_the_remedy(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert f"chmod 700 {folder}" in refusal(folder)


@pytest.mark.parametrize("name", ["server.json", "seal.key", "anything"])
def test_a_file_in_it_that_others_can_write_to_is_refused_with_the_remedy(folder: Path, name: str) -> None:
    (folder / name).touch()
    (folder / name).chmod(0o606)
    assert f"chmod 600 {folder / name}" in refusal(folder)


def test_a_parent_in_which_others_could_replace_it_is_refused(folder: Path) -> None:
    folder.parent.chmod(0o777)
    assert f"they can write to {folder.parent}" in refusal(folder)
    folder.parent.chmod(0o1777)
    prepare_folder(folder)


def test_a_link_is_followed_and_what_is_above_its_target_counts(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    prepare_folder(link)
    folder.parent.chmod(0o777)
    assert str(folder.parent) in refusal(link)


@as_root
def test_what_belongs_to_another_user_is_refused(folder: Path) -> None:
    (folder / "server.json").touch()
    os.chown(folder / "server.json", SOMEBODY, SOMEBODY)
    assert f"{folder / 'server.json'} belongs to another user" in refusal(folder)
    (folder / "server.json").unlink()
    os.chown(folder.parent, SOMEBODY, SOMEBODY)
    assert "could replace the state folder" in refusal(folder)
    os.chown(folder, SOMEBODY, SOMEBODY)
    assert f"{folder} belongs to another user" in refusal(folder)


def test_what_is_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert str(tmp_path / "file" / "state") in refusal(tmp_path / "file" / "state")


def test_a_file_where_a_folder_belongs_is_named_and_the_other_way_round(folder: Path) -> None:
    (folder / "bridges").touch()
    (folder / "server.lock").mkdir()
    with pytest.raises(InvalidSetting, match=r"bridges is a file, and must be a folder"):
        check_kind(folder / "bridges", folder=True)
    with pytest.raises(InvalidSetting, match=r"server\.lock is a folder, and must be a file"):
        check_kind(folder / "server.lock", folder=False)
    check_kind(folder / "absent", folder=False)
