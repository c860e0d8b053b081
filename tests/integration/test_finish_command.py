"""The operator's command gets the report of each run that ends or needs input."""

import json
import shlex
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from opencode_mcp.server.waiting.finish_url import SIGNATURE
from tests.harness.launch import Launch
from tests.harness.rawrpc import open_raw
from tests.harness.waiting import eventually
from tests.scripted_model.script import question, script, text

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


@pytest.fixture
def address() -> Iterator[Address]:
    """An address that gets reports."""
    with Address() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


async def test_the_command_and_the_address_get_a_report_for_a_question_and_for_the_end_though_nobody_waits(
    launch: Launch, tmp_path: Path, project: Path, address: Address
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('on_finish_key = "at least 16 characters"', encoding="utf-8")
    launch = launch.within(OPENCODE_MCP_CONFIG=str(settings))
    recorder, records = tmp_path / "recorder.py", tmp_path / "records"
    recorder.write_text(RECORDER, encoding="utf-8")
    command = shlex.join([sys.executable, str(recorder), str(records)])

    async def recorded(number: int) -> list[dict[str, Any]]:
        lines = records.read_text(encoding="utf-8").splitlines() if records.exists() else []
        return [json.loads(line) for line in lines] if len(lines) >= number else []

    async def got_both() -> bool:
        return len(address.got) == len(("needs_input", "completed"))

    url = f"http://127.0.0.1:{address.server_port}/reports"
    async with open_raw(launch.telling("--on-finish", command, "--on-finish-url", url)) as client:
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
