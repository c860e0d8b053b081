"""Reports for an address are signed, sent again after a failure, and sent nowhere else."""

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.server.finish.finish_url import DELIVERY, SIGNATURE, TIMESTAMP, deliver
from opencode_mcp.settings import resolve
from tests.harness.processes.isolation import ROOT

pytestmark = pytest.mark.anyio
KEY = "a key that nobody knows"
BODY = b'{"status": "completed", "text": "\xc3\xa4"}'
Requests = list[tuple[dict[str, str], bytes]]


async def received(*replies: str, pauses: tuple[float, ...] = (0, 0)) -> tuple[bool, Requests]:
    """Deliver a report to a server that gives these replies, and return the outcome and the requests."""
    requests: Requests = []
    taken = False
    waiting = list(replies)

    async def serve(stream: SocketStream) -> None:
        async with stream:
            data = b""
            while len(data.partition(b"\r\n\r\n")[2]) < len(BODY):
                data += await stream.receive()
            head, _, body = data.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")[1:]
            pairs = [line.split(": ", 1) for line in lines]
            requests.append(({name.lower(): value for name, value in pairs}, body))
            reply = waiting.pop(0)
            if reply:
                await stream.send(f"HTTP/1.1 {reply}\r\ncontent-length: 0\r\n\r\n".encode())

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no Django
        taken = await deliver(f"http://127.0.0.1:{port}/reports?token=hidden", KEY, BODY, pauses)
        tasks.cancel_scope.cancel()
    return taken, requests


def documented_check() -> Callable[[str, Mapping[str, str], bytes], bool]:
    """Return the check of the receiver as the page shows it."""
    page = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(def is_genuine.*?)```", page, re.DOTALL)
    assert block
    names: dict[str, Any] = {}
    exec(f"import hashlib, hmac, time\nfrom collections.abc import Mapping\n{block[1]}", names)  # noqa: S102 - our page
    return names["is_genuine"]


async def test_a_report_is_signed_so_that_the_documented_check_accepts_it_and_nothing_else() -> None:
    taken, [(headers, body)] = await received("204 No Content")
    assert (taken, body, headers["content-type"]) == (True, BODY, "application/json")
    sent = {name: headers[name.lower()] for name in (SIGNATURE, TIMESTAMP, DELIVERY)}
    genuine = documented_check()
    assert genuine(KEY, sent, body)
    assert not genuine(KEY, sent, body + b" ")
    assert not genuine("another key", sent, body)
    assert not genuine(KEY, {**sent, TIMESTAMP: str(int(sent[TIMESTAMP]) - 1)}, body)


async def test_a_report_is_sent_again_under_the_same_id_after_a_failure_of_the_server() -> None:
    taken, requests = await received("503 Unavailable", "", "200 OK")
    assert taken
    assert len(requests) == 3
    assert len({headers[DELIVERY.lower()] for headers, _ in requests}) == 1


async def test_a_redirect_and_a_refusal_are_not_tried_again_and_the_log_hides_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        for reply in ("307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/", "403 Forbidden"):
            taken, requests = await received(reply)
            assert (taken, len(requests)) == (False, 1)
        taken, requests = await received("500 Broken", "500 Broken", "500 Broken")
    assert (taken, len(requests)) == (False, 3)
    assert "status 307" in caplog.text
    assert "hidden" not in caplog.text
    assert KEY not in caplog.text


async def test_an_address_needs_a_key_which_is_only_in_the_settings_file(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    environment = {"OPENCODE_MCP_CONFIG": str(settings), "OPENCODE_MCP_STATE": str(tmp_path), "HOME": str(tmp_path)}
    address = {"on_finish_url": "https://example.com/reports/?a=b"}
    with pytest.raises(InvalidSetting, match="needs a key") as refused:
        resolve(dict(address), environment | {"OPENCODE_MCP_ON_FINISH_KEY": KEY})
    assert str(settings) in str(refused.value)
    settings.write_text(f'on_finish_key = "{KEY}"', encoding="utf-8")
    known = resolve(dict(address), environment)
    assert (known.on_finish_url, known.on_finish_key) == (address["on_finish_url"], KEY)
    assert KEY not in repr(known)
    settings.write_text('on_finish_key = "short"', encoding="utf-8")
    with pytest.raises(InvalidSetting, match="fewer than 16") as refused:
        resolve(dict(address), environment)
    assert "short" not in str(refused.value)
    for wrong in ("ftp://example.com", "example.com", "https://a:b@example.com", "https://example.com/#x"):
        with pytest.raises(InvalidSetting):
            resolve({"on_finish_url": wrong}, environment)
