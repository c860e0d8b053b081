"""A process that takes the port of an OpenCode that has ended receives nothing: no password and no prompt."""

import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import pytest
from anyio.abc import SocketStream

from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import Launch, end_left_server, left_server
from tests.harness.waiting import eventually
from tests.integration.host import Host
from tests.scripted_model.script import text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECONDS = 180


def port_of_server(launch: Launch) -> int:
    (record,) = Path(launch.environment["OPENCODE_MCP_STATE"]).glob("servers/*/server.json")
    url = str(json.loads(record.read_text(encoding="utf-8"))["url"])
    return urlsplit(url).port or 0


async def test_the_bridge_sends_nothing_to_a_process_that_took_the_port_and_goes_on_with_a_new_opencode(
    own_launch: Launch,
) -> None:
    received: list[bytes] = []

    async def listen_in(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while True:
                    received.append(await stream.receive())

    async def is_dead() -> bool:
        return left_server(own_launch) is None

    with anyio.fail_after(SECONDS):
        async with open_bridge(own_launch) as opened:
            host = Host(opened)
            session_id = (await host.run(text("One.")))["session_id"]
            port = port_of_server(own_launch)
            end_left_server(own_launch)
            await eventually(is_dead)
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
            async with listener, anyio.create_task_group() as tasks:
                tasks.start_soon(listener.serve, listen_in)
                report = await host.run(text("Two."), session_id=session_id, wait_seconds=60)
                assert report["text"] == "Two.", report
                await host.text("opencode_status")
                tasks.cancel_scope.cancel()
            assert port_of_server(own_launch) != port
    assert received == []
