"""The result of an answer over a broken connection says whether OpenCode has the answer."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.faults.altered import Altered, altered
from tests.harness.faults.proxy import GONE, Proxy, serving
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host
from tests.scripted_model.script import bash, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


class AnswerLosingProxy(Proxy):
    """Passes an answer on to OpenCode, and drops the connection before OpenCode's response to it."""

    async def _pass_requests(self, client: SocketStream, server: SocketStream) -> None:
        with suppress(*GONE):
            while True:
                data = await client.receive()
                if b"/reply" not in data.split(b"\r\n", 1)[0]:
                    await server.send(data)
                    continue
                while len(data) < whole_size(data):
                    data += await client.receive()
                self.stall()
                await server.send(data)
                await anyio.aclose_forcefully(client)
                self.resume()


def whole_size(request: bytes) -> int:
    """Return the size of a request of which at least the head is there, with its body."""
    head = request.index(b"\r\n\r\n") + 4
    length = re.search(rb"content-length: (\d+)", request[:head], re.IGNORECASE)
    return head + int(length[1] if length else 0)


class RefusingAfterAnswer:
    """Makes a server refuse every request that follows an answer."""

    def __init__(self, server: Altered) -> None:
        self._server = server

    def reply(self, path: str, value: object) -> object:
        """Leave a reply as it is; that to an answer is the last one."""
        if path.endswith("/reply"):
            self._server.refusals[""] = 500
        return value

    def line(self, line: str) -> list[str]:
        """Leave a line of the event stream as it is."""
        return [line]


@asynccontextmanager
async def host_at(url: str, folder: Path, model: ScriptedModel, server: OpenCode, place: Path) -> AsyncGenerator[Host]:
    async with open_bridge(attaching(folder, model, replace(server, url=url), place)) as bridge:
        yield Host(bridge)


async def asked(host: Host) -> tuple[str, str]:
    """Start a run that asks for a permission; return its session and the request."""
    report = await host.run(bash("pwd"), text("Ran."))
    return report["session_id"], report["pending"][0]["request_id"]


@pytest.mark.both_generations
async def test_an_answer_whose_response_is_lost_is_not_said_to_have_failed(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, asking: Path
) -> None:
    async with (
        serving(AnswerLosingProxy(opencode_server.url)) as proxy,
        host_at(proxy.url, tmp_path, scripted_model, opencode_server, asking) as host,
    ):
        session, request = await asked(host)
        error = await host.error("opencode_reply_permission", request_id=request, reply="once")
        assert "It is not known whether OpenCode has the answer." in error
        assert f'opencode_wait(session_id="{session}") shows if {request} is still open' in error
        assert (await host.wait(session))["text"] == "Ran."


async def test_a_failure_after_an_answer_says_that_the_answer_was_given(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, asking: Path
) -> None:
    with altered(opencode_server.url) as server:
        server.rewriter = RefusingAfterAnswer(server)
        async with host_at(server.url, tmp_path, scripted_model, opencode_server, asking) as host:
            session, request = await asked(host)
            error = await host.error("opencode_reply_permission", request_id=request, reply="once", wait_seconds=1)
            server.refusals.clear()
            assert error.startswith("OpenCode has the answer. The run could not be followed since: ")
            assert f'Do not answer again: opencode_wait(session_id="{session}") reports the run.' in error
            assert (await host.wait(session))["text"] == "Ran."
