"""Arguments that are too long, too large or out of their place are refused with a reason; long results are cut."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp_types import TextResourceContents

from opencode_mcp.server import uris
from opencode_mcp.server.resources.readers import CONTENT_BYTES
from opencode_mcp.server.results.size_limit import NOTES_FIELD, RESULT_BYTES
from opencode_mcp.text.json_text import json_size
from tests.harness.bridges.bridge import data_of, text_of
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import backend
from tests.integration.host import Host
from tests.scripted_model.script import text, todos, words

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

IDS = [
    ".",
    "..",
    "a/b",
    "../../config",
    "%2e",
    "%2e%2e",
    "msg_%2e%2e",
    "msg_/../../..",
    "msg_\0",
    "msg_" + "x" * 10_000,
]
HUGE = 10**30
SLACK = 500
CRASH = "failed inside this MCP server"


@asynccontextmanager
async def a_session(server: OpenCode, project: Path) -> AsyncGenerator[str]:
    async with backend(server, project) as opencode:
        session_id = await opencode.create_session()
        yield session_id
        await opencode.session(session_id)


def assert_explained(output: str) -> None:
    assert CRASH not in output
    assert "Traceback" not in output
    assert "Unexpected server error" not in output
    assert len(output) < 2000


@pytest.mark.parametrize("letter", ["a", "é"])
@pytest.mark.parametrize("tool", ["opencode_find_files", "opencode_find_symbols", "opencode_list_sessions"])
async def test_a_long_search_text_is_refused_and_opencode_goes_on(
    host: Host, opencode_server: OpenCode, workplace: Path, tool: str, letter: str
) -> None:
    name = "search" if tool == "opencode_list_sessions" else "query"
    async with a_session(opencode_server, workplace):
        error = await host.error(tool, **{name: letter * 4700})
        assert name in error
        assert "at most" in error
        assert_explained(error)


@pytest.mark.parametrize("operation", ["find.files", "v2.fs.find", "find.text", "session.list", "file.read"])
async def test_a_long_text_of_an_operation_is_refused_too(
    host: Host, opencode_server: OpenCode, workplace: Path, operation: str
) -> None:
    names = {"find.text": "pattern", "session.list": "search", "file.read": "path"}
    arguments = {names.get(operation, "query"): "a" * 4700}
    async with a_session(opencode_server, workplace):
        error = await host.error("opencode_read_operation", operation=operation, arguments=arguments)
        assert "4,700" in error
        assert_explained(error)


@pytest.mark.both_generations
@pytest.mark.parametrize("bad", IDS, ids=lambda value: ascii(value)[:16])
async def test_an_id_reaches_no_other_route(host: Host, opencode_server: OpenCode, workplace: Path, bad: str) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("opencode_wait", {"message_id": bad, "wait_seconds": 0}),
        ("opencode_diff", {"message_id": bad}),
        ("opencode_revert", {"message_id": bad}),
        ("opencode_fork", {"message_id": bad}),
        ("opencode_integrate", {"how": "apply", "message": bad}),
        ("opencode_run", {"prompt": "x", "isolate": True, "base": bad}),
        ("opencode_abort", {"message_id": bad}),
        ("opencode_reply_permission", {"request_id": bad, "reply": "reject"}),
        ("opencode_reply_question", {"request_id": bad, "reject": True}),
    ]
    async with a_session(opencode_server, workplace) as session_id:
        for tool, arguments in calls:
            result = await host.bridge.call(tool, session_id=session_id, **arguments)
            assert_explained(str(result.content))
            assert result.is_error or tool == "opencode_abort", tool
        for tool in ("opencode_session", "opencode_wait", "opencode_diff", "opencode_abort", "opencode_fork"):
            assert_explained(await host.error(tool, session_id=bad))
            assert_explained(await host.error(tool, session_id=f"ses{bad}"))


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("opencode_read_file", {"path": "README.md", "first": HUGE}),
        ("opencode_read_file", {"path": "README.md", "lines": HUGE}),
        ("opencode_read_file", {"path": "README.md", "first": -HUGE}),
        ("opencode_find_text", {"pattern": "x", "context": HUGE}),
        ("opencode_find_text", {"pattern": "x", "per_file": HUGE}),
        ("opencode_find_text", {"pattern": "x", "limit": HUGE}),
        ("opencode_find_text", {"pattern": "x", "cursor": str(HUGE)}),
        ("opencode_find_files", {"query": "x", "cursor": "9" * 5000}),
        ("opencode_list_sessions", {"cursor": f"{'9' * 400}.x"}),
        ("opencode_list_sessions", {"limit": HUGE}),
        ("opencode_list_sessions", {"since": "9" * 400 + "d"}),
        ("opencode_wait", {"session_id": "ses_x", "wait_seconds": HUGE}),
        ("opencode_read_operation", {"operation": "global.health", "offset": HUGE}),
        ("opencode_read_operation", {"operation": "global.health", "offset": -1}),
        ("opencode_read_operation", {"operation": "find.files", "arguments": {"query": "x", "limit": HUGE}}),
        ("opencode_find_operations", {"query": "x", "limit": HUGE}),
        ("opencode_read_operation", {"operation": "global.event", "arguments": {"seconds": HUGE}}),
        ("opencode_find_text", {"pattern": "x\0y"}),
        ("opencode_find_text", {"pattern": "x", "include": ["x\0y"]}),
        ("opencode_find_files", {"query": "x\0y"}),
        ("opencode_find_files", {"query": "*\0y"}),
        ("opencode_find_files", {"query": "{a,b}" * 20}),
        ("opencode_find_files", {"query": "*" * 100_000}),
        ("opencode_find_text", {"pattern": "(" * 100_000}),
        ("opencode_find_text", {"pattern": "x", "include": ["{a,b}" * 20]}),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_number_or_a_pattern_out_of_range_is_refused(
    host: Host, tool: str, arguments: dict[str, object]
) -> None:
    error = await host.error(tool, **arguments)
    assert_explained(error)


async def test_globs_that_multiply_are_refused(host: Host, workplace: Path) -> None:
    (workplace / "changed.txt").write_text("new", encoding="utf-8")
    error = await host.error("opencode_diff", files=["{a,b}" * 20])
    assert "at most" in error
    assert_explained(error)


# OpenCode's data may be of any size, and results are limited


@pytest.mark.both_generations
async def test_a_title_of_any_length_leaves_room_for_the_other_sessions(
    host: Host, opencode_server: OpenCode, workplace: Path
) -> None:
    titles = ["T" * 100_000, "short", "é\n" * 50_000]
    async with backend(opencode_server, workplace) as opencode:
        made = [await opencode.create_session(title) for title in titles]
        try:
            listed = await host.bridge.call("opencode_list_sessions", limit=6)
            shown = await host.bridge.call("opencode_session", session_id=made[0])
            read = [await read_json(host, uri) for uri in (uris.SESSIONS, uris.session(made[0]))]
        finally:
            for session in made:
                await opencode.delete(session)
    assert json_size(listed.model_dump(mode="json")) <= RESULT_BYTES + SLACK
    assert json_size(shown.model_dump(mode="json")) <= RESULT_BYTES + SLACK
    # Sessions of earlier tests may still change.
    assert [row["session_id"] for row in data_of(listed)["sessions"] if row["session_id"] in made] == made[::-1]
    assert "short" in text_of(listed)
    assert {row["session_id"] for row in read[0]["sessions"]} >= set(made)
    assert read[1]["session_id"] == made[0]
    assert all(json_size(data) <= CONTENT_BYTES for data in read)


READING = re.compile(
    r'; opencode_read_operation\(operation="(?P<operation>.+)", arguments=(?P<arguments>.+)\) reads on'
)
WORDS = 6000


@pytest.mark.both_generations
async def test_an_answer_that_is_too_long_ends_with_a_word_and_is_read_on_by_the_call_that_the_report_names(
    host: Host,
) -> None:
    whole = " ".join(f"word{number}" for number in range(WORDS))
    report = await host.run(words(WORDS, chunk=500))
    shown, _, note = report["text"].partition("\n… (")
    assert whole.startswith(f"{shown.strip()} word")
    assert f"the first {len(shown)} of {len(whole)} characters" in note
    named = READING.search(note)
    assert named
    call = {"operation": named["operation"], "arguments": json.loads(named["arguments"])}
    found = await host.data("opencode_read_operation", **call)
    place = next(cut["at"] for cut in found["cut"] if cut["at"].endswith("text"))
    assert await read_text(host, call, place) == whole


async def read_text(host: Host, call: dict[str, Any], place: str) -> str:
    """Read a text of a reply in parts, as the notes about the cuts say."""
    text = ""
    while True:
        found = await host.data("opencode_read_operation", **call, select=place, offset=len(text))
        text += found["reply"].removesuffix("…")
        if not found.get("cut"):
            return text.strip()


async def test_a_long_todo_list_and_a_long_report_are_read_in_part(host: Host) -> None:
    report = await host.run(todos(*[("x" * 200, "pending")] * 1500), text("y" * 300_000), wait_seconds=60)
    session, message = report["session_id"], report["message_id"]
    for uri in (uris.todo(session), uris.run(session, message)):
        (content,) = (await host.bridge.client.read_resource(uri)).contents
        assert isinstance(content, TextResourceContents)
        assert CONTENT_BYTES / 2 < json_size(content.text) <= CONTENT_BYTES
        assert "characters left out" in content.text
    data = await read_json(host, uris.session(session))
    assert data["session_id"] == session
    assert json_size(data) <= CONTENT_BYTES
    assert any("todos" in note for note in data[NOTES_FIELD])


async def read_json(host: Host, uri: str) -> dict[str, Any]:
    (content,) = (await host.bridge.client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return json.loads(content.text)
