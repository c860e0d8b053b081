"""The log never waits for a reader, says what it dropped, and holds no secret and no forged line."""

import logging
import os
from collections.abc import Generator

import pytest

from opencode_mcp.secrets.own_passwords import MARK
from opencode_mcp.server.stdio.stderr_log import MOST_CHARACTERS, StderrLog

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows cannot ask whether a pipe has room.")
PIPE = 1_000_000
"""More bytes than a pipe holds."""


@pytest.fixture
def ends() -> Generator[tuple[int, int]]:
    opened = os.pipe()
    yield opened
    for descriptor in opened:
        os.close(descriptor)


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("name", logging.INFO, "path", 1, text, None, None)


def test_a_host_that_never_reads_stderr_delays_nothing_and_gets_a_count_of_the_lost_lines(
    ends: tuple[int, int],
) -> None:
    log = StderrLog(ends[1])
    for number in range(PIPE // 100):
        log.emit(record(f"{number:0100}"))
    unread = os.read(ends[0], PIPE)
    assert len(unread) < PIPE
    log.emit(record("read again"))
    *_, note, last = os.read(ends[0], PIPE).decode().splitlines()
    assert "records were dropped: nobody read stderr" in note
    assert last == "INFO name: read again"
    written = unread.count(b"INFO name") + 1
    assert f" {PIPE // 100 - written} records" in note or f" {PIPE // 100 - written + 1} records" in note


def test_a_log_line_is_a_line_without_secrets_and_control_characters(ends: tuple[int, int]) -> None:
    token = "gh" + "p_" + "a1" * 18
    StderrLog(ends[1]).emit(record(f"one {token}\x1b[31m\nERROR forged"))
    assert os.read(ends[0], PIPE).decode() == f"INFO name: one {MARK}\n    | ERROR forged\n"


def test_of_a_long_record_the_ends_are_kept(ends: tuple[int, int]) -> None:
    StderrLog(ends[1]).emit(record(f"begin {'x' * 3 * MOST_CHARACTERS} end"))
    text = os.read(ends[0], PIPE).decode()
    assert len(text) < MOST_CHARACTERS + 100
    assert "begin" in text
    assert text.endswith(" end\n")


def test_a_log_that_nobody_can_read_any_more_ends_nothing(ends: tuple[int, int]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    StderrLog(writer).emit(record("unheard"))
    os.close(writer)
    StderrLog(ends[1]).emit(logging.LogRecord("n", logging.INFO, "p", 1, "%d", ("text",), None))
