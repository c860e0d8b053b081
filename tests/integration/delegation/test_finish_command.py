"""The operator's command gets the report of each run that ends or needs input."""

import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from opencode_mcp.server.finish.finish_url import SIGNATURE
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import open_raw
from tests.harness.faults.proxy import proxy_to
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.servers.threaded_server import served_in_thread
from tests.harness.waiting import eventually
from tests.scripted_model.script import hold, question, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

RECORDER = """
import json, os, sys
report = json.load(sys.stdin)
print("no line of MCP", flush=True)
passwords = [name for name in os.environ if name.endswith("PASSWORD")]
with open(sys.argv[1], "a") as file:
    file.write(json.dumps({"report": report, "passwords": passwords}) + "\\n")
"""
"""Program that records what it gets, and writes to stdout, which must not reach the host."""


class Address(ThreadingHTTPServer):
    """Address that gets reports."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.got: list[Any] = []


class Receiver(BaseHTTPRequestHandler):
    """Keeps what the address gets."""

    def do_POST(self) -> None:
        """Take a report."""
        body = self.rfile.read(int(self.headers["content-length"]))
        cast("Address", self.server).got.append(json.loads(body) if self.headers[SIGNATURE] else "not signed")
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def recording(tmp_path: Path) -> tuple[str, Path]:
    """Return a command that records the reports that it gets, and the file of its records."""
    recorder, records = tmp_path / "recorder.py", tmp_path / "records"
    recorder.write_text(RECORDER, encoding="utf-8")
    return shlex.join([sys.executable, str(recorder), str(records)]), records


def read_records(records: Path) -> list[dict[str, Any]]:
    """Return what the command has recorded."""
    lines = records.read_text(encoding="utf-8").splitlines() if records.exists() else []
    return [json.loads(line) for line in lines]


@pytest.fixture
def address() -> Iterator[Address]:
    """An address that gets reports."""
    server = Address()
    with served_in_thread(server):
        yield server


async def test_the_command_and_the_address_get_a_report_for_a_question_and_for_the_end_though_nobody_waits(
    launch: Launch, tmp_path: Path, project: Path, address: Address
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('on_finish_key = "at least 16 characters"', encoding="utf-8")
    launch = launch.within(OPENCODE_MCP_CONFIG=str(settings))
    command, records = recording(tmp_path)

    async def recorded(number: int) -> list[dict[str, Any]]:
        found = read_records(records)
        return found if len(found) >= number else []

    async def got_both() -> bool:
        return len(address.got) == len(("needs_input", "completed"))

    url = f"http://127.0.0.1:{address.server_port}/reports"
    async with open_raw(launch.with_flags("--on-finish", command, "--on-finish-url", url)) as client:
        prompt = script(question("Which?", "Red", "Blue"), text("It is red."))
        # Isolated and with limits: the three work together.
        started = await client.call("opencode_run", prompt=prompt, isolate=True, max_steps=2, wait_seconds=0)
        session_id = started["structuredContent"]["session_id"]
        asked = (await eventually(lambda: recorded(1)))[0]["report"]
        assert (asked["status"], asked["session_id"]) == ("needs_input", session_id)
        request = asked["pending"][0]
        await client.call(
            "opencode_reply_question",
            request_id=request["request_id"],
            session_id=request["session_id"],
            answers=[["Red"]],
            wait_seconds=0,
        )
        both = await eventually(lambda: recorded(2))
        await eventually(got_both)
    assert [record["report"]["status"] for record in both] == ["needs_input", "completed"]
    assert address.got == [record["report"] for record in both]
    assert both[1]["report"]["text"] == "It is red."
    assert not both[1]["report"]["directory"].startswith(str(project))
    assert [record["passwords"] for record in both] == [[], []]


async def test_a_run_that_ended_while_opencode_was_away_is_reported_once(
    tmp_path: Path, project: Path, opencode_server: OpenCode, scripted_model: ScriptedModel, case: str
) -> None:
    command, records = recording(tmp_path)
    held = f"away {case}"
    async with proxy_to(opencode_server.url) as way:
        launch = attaching(tmp_path, scripted_model, replace(opencode_server, url=way.url), project)
        async with open_raw(launch.with_flags("--on-finish", command)) as client:
            prompt = script(step(text("Half "), hold(held), text("and whole.")))
            await client.call("opencode_run", prompt=prompt, wait_seconds=0)
            await scripted_model.reached(held)
            await way.refuse()

            async def is_gone() -> bool:
                return "OpenCode is gone" in launch.printed()

            await eventually(is_gone)
            await scripted_model.release(held)
            way.accept()

            async def recorded() -> list[dict[str, Any]]:
                return read_records(records)

            await eventually(recorded, seconds=60)
    assert [record["report"]["status"] for record in read_records(records)] == ["completed"]
