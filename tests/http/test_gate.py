"""Requests at the gate: streams end with their access token, and calls do not."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio
import anyio.abc
import pytest
from starlette.types import Message, Receive, Scope, Send

from opencode_mcp.http import gate as gate_module
from opencode_mcp.http.authentication.authenticator import Authenticator
from opencode_mcp.http.authentication.caller import Caller
from opencode_mcp.http.gate import Gate, OpenGate
from opencode_mcp.http.oauth.oauth_settings import CLOCK_SKEW_SECONDS
from opencode_mcp.http.principals.principal_file import PrincipalFile
from opencode_mcp.http.simultaneous_requests import LEAST_OF_ONE, SimultaneousRequests
from opencode_mcp.http.web.exchange import EXCHANGE, LISTEN, Exchange
from opencode_mcp.settings import Settings
from tests.harness.waiting import eventually

if TYPE_CHECKING:
    from opencode_mcp.http.tenant import Tenant

pytestmark = pytest.mark.anyio

OPEN_REQUESTS = SimultaneousRequests(1000)


class AlwaysExpired(Authenticator):
    """Takes every request for one whose access token has expired just now."""

    async def caller_of(self, scope: Scope) -> Caller:
        """Return the same caller for every request."""
        assert scope
        expired = int(time.time()) - CLOCK_SKEW_SECONDS
        return Caller("alice", claims={"sub": "alice", "iss": "issuer", "exp": expired})


class SilentTenant:
    """Answers nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Be started."""
        task_status.started()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the client waiting."""
        assert scope[EXCHANGE].receive == receive
        assert send
        await anyio.sleep_forever()


def silent_tenant(settings: Settings) -> "Tenant":
    return cast("Tenant", SilentTenant(settings))


@pytest.mark.parametrize(
    ("method", "headers", "ends"),
    [("GET", {}, True), ("POST", {b"mcp-method": LISTEN}, True), ("POST", {b"mcp-method": b"tools/call"}, False)],
)
async def test_a_stream_ends_with_its_token_and_a_call_does_not(
    tmp_path: Path,
    method: str,
    headers: Mapping[bytes, bytes],
    ends: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[principals.alice]\nsubjects = ["alice"]\ndirectories = ["/a"]\n', encoding="utf-8")
    file = PrincipalFile(path, Settings())
    sent: list[Message] = []

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async with anyio.create_task_group() as tasks:
        gate = Gate(file, AlwaysExpired(file), silent_tenant, tasks, OPEN_REQUESTS)
        exchange = Exchange(receive, send)
        scope = {"type": "http", "method": method, "headers": list(headers.items()), EXCHANGE: exchange}
        tasks.start_soon(exchange.run, gate.handle, scope)
        await anyio.wait_all_tasks_blocked()
        assert bool(sent) == ends
        tasks.cancel_scope.cancel()


async def test_a_request_beyond_the_share_of_a_principal_gets_an_error_with_its_id(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[principals.alice]\nsubjects = ["alice"]\ndirectories = ["/a"]\n', encoding="utf-8")
    file = PrincipalFile(path, Settings())
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b'{"jsonrpc": "2.0", "id": 7, "method": "tools/call"}'}

    async def send(message: Message) -> None:
        sent.append(message)

    def request() -> tuple[Exchange, Scope]:
        exchange = Exchange(receive, send)
        headers = [(b"mcp-method", b"tools/call")]
        return exchange, {"type": "http", "method": "POST", "headers": headers, EXCHANGE: exchange}

    async with anyio.create_task_group() as tasks:
        few = SimultaneousRequests(connections=LEAST_OF_ONE * 3)
        gate = Gate(file, AlwaysExpired(file), silent_tenant, tasks, few)
        for _ in range(LEAST_OF_ONE):
            exchange, scope = request()
            tasks.start_soon(exchange.run, gate.handle, scope)
        await anyio.wait_all_tasks_blocked()
        assert sent == []
        exchange, scope = request()
        await exchange.run(gate.handle, scope)
        assert sent[0]["status"] == 503
        assert (b"retry-after", b"5") in sent[0]["headers"]
        error = json.loads(sent[1]["body"])
        assert error["id"] == 7
        assert "This principal has 8 requests and streams open" in error["error"]["message"]
        tasks.cancel_scope.cancel()


class RevokedTenant(SilentTenant):
    """Tenant whose principal is removed while it starts."""

    def __init__(self, settings: Settings, file: PrincipalFile, path: Path) -> None:
        super().__init__(settings)
        self.is_closed = False
        self._file = file
        self._path = path

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Be started without a principal."""
        empty = self._path.with_name("empty")
        empty.write_text("", encoding="utf-8")
        empty.replace(self._path)
        assert self._file.refresh()
        task_status.started()

    def retire(self, reason: str) -> None:
        """Keep the reason for the end."""
        assert "rights of this principal have changed" in reason

    async def close_after_reports(self) -> None:
        """Note that it was closed."""
        self.is_closed = True


async def test_a_principal_that_is_removed_while_its_tenant_starts_ends_the_tenant(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[principals.alice]\nsubjects = ["alice"]\ndirectories = ["/a"]\n', encoding="utf-8")
    file = PrincipalFile(path, Settings())
    made: list[RevokedTenant] = []

    def make(settings: Settings) -> "Tenant":
        made.append(RevokedTenant(settings, file, path))
        return cast("Tenant", made[-1])

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError(message)

    async with anyio.create_task_group() as tasks:
        gate = Gate(file, AlwaysExpired(file), make, tasks, OPEN_REQUESTS)
        exchange = Exchange(receive, send)
        call = (b"mcp-method", b"tools/call")
        scope = {"type": "http", "method": "POST", "headers": [call], EXCHANGE: exchange}
        tasks.start_soon(exchange.run, gate.handle, scope)
        await anyio.wait_all_tasks_blocked()
        assert [tenant.is_closed for tenant in made] == [True]
        assert list(gate.tenants) == []
        tasks.cancel_scope.cancel()


async def test_principals_that_are_added_to_a_bridge_without_authentication_are_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gate_module, "POLL_SECONDS", 0.01)
    path = tmp_path / "config.toml"

    async def is_logged() -> bool:
        return "has principals now (alice)" in caplog.text

    async with anyio.create_task_group() as tasks:
        open_gate = OpenGate(cast("Tenant", SilentTenant(Settings())), path, OPEN_REQUESTS)
        tasks.start_soon(open_gate.watch)
        await anyio.wait_all_tasks_blocked()
        path.write_text('[principals.alice]\nsubjects = ["alice"]\ndirectories = ["/a"]\n', encoding="utf-8")
        await eventually(is_logged)
        tasks.cancel_scope.cancel()
    assert caplog.text.count("has principals now") == 1
