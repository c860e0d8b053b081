"""The record of the shared server on disk."""

import stat
from pathlib import Path

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.launcher.server_record import ServerRecord, StateFiles
from opencode_mcp.processes.identity import Process

RECORD = ServerRecord(
    url="http://127.0.0.1:4096",
    username="opencode",
    password="very secret",
    process=Process(4711, "12345"),
    executable="/usr/bin/opencode",
    started=1.5,
    version="1.18.33",
)


@pytest.fixture
def files(tmp_path: Path) -> StateFiles:
    files = StateFiles(tmp_path / "deep" / "state")
    files.prepare()
    return files


def test_a_record_reads_as_it_was_written(files: StateFiles) -> None:
    files.write_record(RECORD)
    assert files.read_record() == RECORD


def test_only_its_owner_can_read_the_record_whatever_was_there(files: StateFiles) -> None:
    files.record.write_text("{}", encoding="utf-8")
    files.record.chmod(0o666)
    files.write_record(RECORD)
    assert stat.S_IMODE(files.record.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.directory.stat().st_mode) == 0o700


def test_no_record_and_a_removed_one_read_as_none(files: StateFiles) -> None:
    assert files.read_record() is None
    files.write_record(RECORD)
    files.remove_record()
    files.remove_record()
    assert files.read_record() is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "http://127.0.0.1:1"}', '{"url": 5}'])
def test_a_record_that_cannot_be_understood_reads_as_none(files: StateFiles, content: str) -> None:
    files.record.write_text(content, encoding="utf-8")
    assert files.read_record() is None


def test_a_record_of_a_newer_bridge_is_read(files: StateFiles) -> None:
    files.write_record(RECORD)
    text = files.record.read_text(encoding="utf-8")
    files.record.write_text(text.replace("{", '{"colour": "red",', 1), encoding="utf-8")
    assert files.read_record() == RECORD


def test_a_record_does_not_show_its_password() -> None:
    assert RECORD.password not in repr(RECORD)
    assert RECORD.password not in repr(RECORD.endpoint)


def test_a_state_directory_that_cannot_be_made_is_the_operators_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSetting, match="OPENCODE_MCP_STATE") as caught:
        StateFiles(tmp_path / "file" / "state").prepare()
    assert str(tmp_path / "file" / "state") in caught.value.message
