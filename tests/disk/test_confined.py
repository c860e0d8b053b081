"""A file that is opened is inside the project, also if a link replaces the checked path."""

import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from opencode_mcp.disk import confined
from opencode_mcp.disk.confined import file_sizes, list_folder, list_small_folder, open_file, working_folder
from opencode_mcp.errors import BridgeError, InvalidArgument, NotFound
from tests.harness.faults.swapping import swapping

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there, and there are no pipes")

TRIES = 400
INSIDE, OUTSIDE = b"inside", b"outside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a file in a folder, beside a folder with a file of the same name."""
    for place, text in (("project/folder", INSIDE), ("elsewhere", OUTSIDE)):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "file.txt").write_bytes(text)
    (tmp_path / "elsewhere" / "secret.txt").touch()
    return Path(os.path.realpath(tmp_path / "project"))


def read(root: Path, path: str) -> bytes:
    with os.fdopen(open_file(str(root), path), "rb") as file:
        return file.read()


def outcomes(attempt: Callable[[], object]) -> list[object]:
    found: list[object] = []
    for _ in range(TRIES):
        try:
            found.append(attempt())
        except BridgeError:
            continue
    return found


def test_a_file_that_is_swapped_for_a_link_is_never_read_from_outside(root: Path) -> None:
    with swapping(root / "folder" / "file.txt", root.parent / "elsewhere" / "file.txt"):
        assert set(outcomes(lambda: read(root, "folder/file.txt"))) <= {INSIDE}


def test_a_folder_on_the_way_that_is_swapped_for_a_link_leads_nowhere_else(root: Path) -> None:
    with swapping(root / "folder", root.parent / "elsewhere"):
        assert set(outcomes(lambda: read(root, "folder/file.txt"))) <= {INSIDE}


def test_a_folder_that_is_swapped_for_a_link_is_never_listed_from_outside(root: Path) -> None:
    with swapping(root / "folder", root.parent / "elsewhere"):
        for attempt in (partial(list_folder, str(root), "folder"), partial(list_small_folder, str(root), "folder", 3)):
            assert all(listed == {"file.txt": False} for listed in outcomes(attempt))


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process can be started in an open folder")
def test_a_process_never_works_in_what_a_folder_was_swapped_for(root: Path) -> None:
    def look() -> list[str]:
        with working_folder(str(root), "folder") as place:
            return sorted(path.name for path in Path(place).iterdir())

    with swapping(root / "folder", root.parent / "elsewhere"):
        assert all(listed == ["file.txt"] for listed in outcomes(look))


@pytest.mark.parametrize("way", ["step by step", "compared afterwards"])
def test_a_link_in_the_place_of_what_was_checked_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(confined, "STEPWISE", way == "step by step")
    (root / "out").symlink_to(root.parent / "elsewhere")
    (root / "file.txt").symlink_to(root.parent / "elsewhere" / "file.txt")
    for path in ("out/file.txt", "file.txt"):
        with pytest.raises(NotFound):
            open_file(str(root), path)
    with pytest.raises(NotFound):
        list_folder(str(root), "out")
    assert read(root, "folder/file.txt") == INSIDE
    assert list_folder(str(root), ".") == {"folder": True}


def test_pipes_sockets_and_devices_are_refused_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(InvalidArgument, match="is a named pipe"):
        open_file(str(root), "pipe")
    monkeypatch.chdir(root)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        with pytest.raises(InvalidArgument, match="is a socket"):
            open_file(str(root), "socket")
    with pytest.raises(InvalidArgument, match="is a device"):
        open_file("/dev", "null")
    assert list_folder(str(root), ".") == {"folder": True}


def test_a_small_folder_is_listed_in_the_same_way_and_a_larger_one_not_at_all(root: Path) -> None:
    (root / "link").symlink_to(root / "folder")
    (root / "file.txt").touch()
    listed = {"folder": True, "file.txt": False}
    assert list_small_folder(str(root), ".", 3) == list_folder(str(root), ".") == listed
    assert list_small_folder(str(root), ".", 2) is None
    for path in ("none", "link", "file.txt"):
        with pytest.raises(NotFound):
            list_small_folder(str(root), path, 3)


def test_sizes_are_reported_of_regular_files_alone(root: Path) -> None:
    (root / "link").symlink_to(root / "folder" / "file.txt")
    names = ["file.txt", "none.txt"]
    assert file_sizes(str(root), "folder", names) == {"file.txt": len(INSIDE)}
    assert file_sizes(str(root), ".", ["folder", "link"]) == {}
    with pytest.raises(NotFound):
        file_sizes(str(root), "none", names)


def test_what_is_missing_and_what_is_of_the_other_kind_is_not_found(root: Path) -> None:
    for path in ("none.txt", "none/file.txt", "folder/file.txt/deeper", "folder"):
        with pytest.raises(NotFound):
            open_file(str(root), path)
    for path in ("none", "folder/file.txt"):
        with pytest.raises(NotFound):
            list_folder(str(root), path)


def test_a_name_that_is_not_utf_8_is_listed_as_text(root: Path) -> None:
    try:
        (root / os.fsdecode(b"caf\xe9.txt")).touch()
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    assert list_folder(str(root), ".") == {"folder": True, "caf\ufffd.txt": False}
