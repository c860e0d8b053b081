"""Saved responses are private files, and whatever else is in them or in their place is not used."""

import json
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from opencode_mcp import __version__
from opencode_mcp.errors import InvalidSetting
from opencode_mcp.server.stdio.front.saved_responses import FOLDER, LARGEST, MOST_FILES, SavedResponses

Json = dict[str, Any]

KEY = "tools-list-0123"
TOOLS: Json = {"tools": [{"name": "one", "inputSchema": {"type": "object"}, "description": "é\u2028"}]}
INITIALIZE: Json = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "serverInfo": {"name": "opencode-mcp", "version": __version__},
    "instructions": "x",
}
DISCOVER: Json = {
    "supportedVersions": ["2026-07-28"],
    "capabilities": {},
    "_meta": {"io.modelcontextprotocol/serverInfo": {"version": __version__}},
}

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither modes nor named pipes")


def saved(folder: Path, key: str = KEY, result: Json = TOOLS) -> Path:
    SavedResponses(folder).save(key, result)
    return folder / FOLDER / f"{key}.json"


def found(folder: Path, key: str = KEY) -> object:
    responses = SavedResponses(folder)
    responses.load()
    return responses.find(key)


def content(key: str, result: object) -> bytes:
    """A file that is right in all but perhaps its form."""
    checksum = sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
    return json.dumps({"key": key, "checksum": checksum, "result": result}).encode()


@pytest.mark.parametrize(
    ("key", "result"), [(KEY, TOOLS), ("initialize-ab", INITIALIZE), ("server-discover-ab", DISCOVER)]
)
def test_a_saved_response_is_found_by_its_key_alone(key: str, result: Json, tmp_path: Path) -> None:
    saved(tmp_path, key, result)
    assert found(tmp_path, key) == result
    assert found(tmp_path, f"{key}0") is None
    assert found(tmp_path / "other", key) is None


@posix
def test_files_and_folder_belong_to_their_owner_alone(tmp_path: Path) -> None:
    path = saved(tmp_path)
    assert [path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777] == [0o600, 0o700]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[:-20],
    "changed": lambda data: data.replace(b"object", b"0bject"),
    "of another key": lambda data: data.replace(KEY.encode(), b"tools-list-0124"),
    "not an object": lambda _: b"[]",
    "not JSON": lambda _: b"{",
    "not text": lambda _: b"\xff\xfe\x00",
    "with more fields": lambda data: data[:-1] + b', "more": 1}',
    "no finite number": lambda _: content(KEY, TOOLS | {"x": float("nan")}),
    "deeply nested": lambda _: b'{"key": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "too long": lambda data: data + b" " * LARGEST,
    "without tools": lambda _: content(KEY, {"x": 1}),
    "tools of another kind": lambda _: content(KEY, TOOLS | {"tools": 5}),
    "a tool without a schema": lambda _: content(KEY, {"tools": [{"name": "x"}]}),
    "a tool without a name": lambda _: content(KEY, {"tools": [{"inputSchema": TOOLS}]}),
    "a handshake": lambda _: content(KEY, INITIALIZE),
    "no result": lambda _: content(KEY, None),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_not_used(damage: str, tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert found(tmp_path) is None
    saved(tmp_path)
    assert found(tmp_path) == TOOLS


@pytest.mark.parametrize(
    ("key", "result"),
    [
        ("initialize-ab", INITIALIZE | {"serverInfo": {"version": "0.0.0"}}),
        ("initialize-ab", INITIALIZE | {"protocolVersion": 1}),
        ("initialize-ab", INITIALIZE | {"capabilities": None}),
        ("initialize-ab", INITIALIZE | {"instructions": 5}),
        ("initialize-ab", TOOLS),
        ("server-discover-ab", DISCOVER | {"_meta": 5}),
        ("server-discover-ab", DISCOVER | {"supportedVersions": "2026-07-28"}),
        ("prompts-list-ab", TOOLS),
        ("", TOOLS),
    ],
)
def test_a_response_of_another_form_is_neither_used_nor_saved(key: str, result: Json, tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.with_name(f"{key}.json").write_bytes(content(key, result))
    assert found(tmp_path, key) is None
    SavedResponses(tmp_path / "other").save(key, result)
    assert not (tmp_path / "other").exists()


@posix
@pytest.mark.parametrize("mode", [0o602, 0o666])
def test_a_file_that_others_can_change_spoils_them_all(mode: int, tmp_path: Path) -> None:
    other = saved(tmp_path, "initialize-ab", INITIALIZE)
    saved(tmp_path)
    other.chmod(mode)
    assert found(tmp_path) is None
    with pytest.raises(InvalidSetting, match="can be changed by other users"):
        saved(tmp_path)


@posix
def test_a_folder_that_others_can_change_is_not_used(tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.parent.chmod(0o777)
    assert found(tmp_path) is None


@posix
def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    path = saved(tmp_path)
    elsewhere = tmp_path / "elsewhere.json"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    os.mkfifo(path.with_name("pipe.json"), 0o600)
    path.with_name("folder.json").mkdir(mode=0o700)
    saved(tmp_path, "initialize-ab", INITIALIZE)
    assert found(tmp_path) is None
    assert found(tmp_path, "pipe") is None
    assert found(tmp_path, "initialize-ab") == INITIALIZE


def test_the_oldest_files_are_removed(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 3):
        path = saved(tmp_path, f"tools-list-{number}")
        os.utime(path, (number, number))
    assert len(list((tmp_path / FOLDER).iterdir())) == MOST_FILES
    assert found(tmp_path, "tools-list-2") is None
    assert found(tmp_path, f"tools-list-{MOST_FILES + 2}") == TOOLS


def test_a_response_that_is_too_long_is_not_saved(tmp_path: Path) -> None:
    saved(tmp_path, KEY, {"tools": [{"name": "x" * LARGEST, "inputSchema": {}}]})
    assert not (tmp_path / FOLDER).exists()
