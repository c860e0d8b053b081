"""A call's time counts from its arrival, and a slow start neither loses nor doubles work."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError

from opencode_mcp.opencode.http_client import project_opening
from opencode_mcp.runs import run_life as runs
from opencode_mcp.runs.answers.runs_under_policy import RunsUnderPolicy
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.server import project_status
from opencode_mcp.server.app import build_server
from opencode_mcp.server.uris import PROJECT
from opencode_mcp.server.waiting import call_deadlines, wait
from opencode_mcp.server.waiting import host_limits as hosts
from opencode_mcp.settings import Settings
from tests.harness.bridges.bridge import data_of, text_of
from tests.harness.faults.slow_proxy import SlowProxy, slow_proxy_to
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import Backend, backend
from tests.integration.host import meanwhile
from tests.integration.runs.test_commands import add_command
from tests.scripted_model.script import hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
Json = dict[str, Any]

PATIENCE = 1.0
PLENTY = 60.0
RUN: Json = {"prompt": script(text("Done.")), "wait_seconds": 30}
CALLS: tuple[tuple[str, Json], ...] = (
    ("opencode_status", {}),
    ("opencode_list_sessions", {}),
    ("opencode_diff", {}),
    ("opencode_session", {"session_id": "ses_unknown"}),
    ("opencode_wait", {"session_id": "ses_unknown", "wait_seconds": 0}),
    ("opencode_abort", {"session_id": "ses_unknown"}),
    ("opencode_run_many", {"tasks": [{"prompt": "x", "model": "scripted/m1"}]}),
    ("opencode_fork", {"session_id": "ses_unknown"}),
    ("opencode_integrate", {"session_id": "ses_unknown", "how": "discard"}),
    ("opencode_shell", {"session_id": "ses_unknown", "command": "true", "wait_seconds": 0}),
    ("opencode_read_operation", {"operation": "app.agents"}),
)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that gives up soon."""
    monkeypatch.setattr(call_deadlines, "LEAST_START_SECONDS", PATIENCE)
    monkeypatch.setattr(hosts, "UNKNOWN_HOST_SECONDS", PATIENCE)


@pytest.fixture
async def opencode(opencode_server: OpenCode, project: Path) -> AsyncGenerator[Backend]:
    seen = backend(opencode_server, project)
    async with seen.http:
        yield seen


@pytest.fixture
async def proxy(opencode_server: OpenCode) -> AsyncGenerator[SlowProxy]:
    async with slow_proxy_to(opencode_server.url) as slow:
        yield slow


@asynccontextmanager
async def connected(proxy: SlowProxy, server: OpenCode, project: Path, state: Path) -> AsyncGenerator[Client]:
    settings = Settings(
        url=proxy.url,
        password=server.password,
        directories=(str(project),),
        state_directory=state / "bridge",
        allow=("session.shell",),
    )
    async with Client(build_server(settings)) as client:
        yield client


@pytest.fixture
async def client(proxy: SlowProxy, opencode_server: OpenCode, project: Path, tmp_path: Path) -> AsyncGenerator[Client]:
    async with connected(proxy, opencode_server, project, tmp_path) as connection:
        yield connection


async def prompts_of(opencode: Backend) -> int:
    """Count the prompts in all sessions of the project."""
    return sum([await opencode.prompts(session["id"]) for session in await opencode.get("/session")])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("tool", ["opencode_run", "opencode_command"])
async def test_a_call_that_a_slow_start_outlasts_hands_nothing_over_and_may_be_made_again(
    client: Client, proxy: SlowProxy, opencode: Backend, project: Path, tool: str
) -> None:
    add_command(project, "speak", text("Done."))
    call = RUN if tool == "opencode_run" else {"command": "speak", "wait_seconds": 30}
    refused = await client.call_tool(tool, {**call, "wait_seconds": 0})
    assert refused.is_error
    assert "is still starting" in text_of(refused)
    assert "Nothing was started" in text_of(refused)
    assert "make the same call again" in text_of(refused)
    proxy.release()
    assert await prompts_of(opencode) == 0
    report = data_of(await client.call_tool(tool, call))
    assert (report["status"], report["text"]) == ("completed", "Done.")
    assert await prompts_of(opencode) == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=[tool for tool, _ in CALLS])
async def test_every_other_call_that_a_slow_start_outlasts_says_so_and_may_be_made_again(
    client: Client, proxy: SlowProxy, tool: str, arguments: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = await client.call_tool(tool, arguments)
    assert refused.is_error
    assert "is still starting" in text_of(refused)
    assert "make the same call again" in text_of(refused)
    proxy.release()
    monkeypatch.setattr(call_deadlines, "LEAST_START_SECONDS", PLENTY)
    assert "is still starting" not in text_of(await client.call_tool(tool, arguments))


@pytest.mark.usefixtures("impatient")
async def test_a_resource_and_a_prompt_that_a_slow_start_outlasts_say_so(
    client: Client, proxy: SlowProxy, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_command(project, "speak", text("Done."))
    with pytest.raises(MCPError, match="is still starting"):
        await client.read_resource(PROJECT)
    with pytest.raises(MCPError, match="is still starting"):
        await client.get_prompt("speak")
    proxy.release()
    monkeypatch.setattr(call_deadlines, "LEAST_START_SECONDS", PLENTY)
    await client.read_resource(PROJECT)
    assert (await client.get_prompt("speak")).messages


async def test_the_time_of_a_start_is_taken_from_the_wait(
    client: Client, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, proxy: SlowProxy
) -> None:
    waits: list[float] = []
    observe = RunsUnderPolicy.observe

    async def noted(self: RunsUnderPolicy, run: Any, deadline: Deadline, *rest: Any) -> Any:  # noqa: ANN401 - passes all on
        waits.append(deadline.remaining)
        return await observe(self, run, deadline, *rest)

    monkeypatch.setattr(RunsUnderPolicy, "observe", noted)
    proxy.release()
    call = {"prompt": script(step(hold("counted from arrival"), text("Done."))), "wait_seconds": 0.001}
    report = data_of(await client.call_tool("opencode_run", call))
    assert report["status"] == "running"
    assert waits == [0]
    await scripted_model.release("counted from arrival")
    again = data_of(await client.call_tool("opencode_wait", {"session_id": report["session_id"], "wait_seconds": 30}))
    assert again["status"] == "completed"
    assert 0 < waits[1] < 30

    async def silent(*_arguments: object) -> Observation:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(RunsUnderPolicy, "observe", silent)
    monkeypatch.setattr(wait, "LAST_READ_SECONDS", 0.1)
    unseen = data_of(await client.call_tool("opencode_wait", {"session_id": report["session_id"], "wait_seconds": 0}))
    assert unseen["status"] == "running"
    assert "could not be read" in unseen["note"]
    assert "may have ended" in unseen["note"]


async def test_a_prompt_that_opencode_takes_too_slowly_is_reported_with_its_session_and_never_sent_again(
    client: Client, proxy: SlowProxy, opencode: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "READ_TIMEOUT_SECONDS", 0.5)
    proxy.holds = lambda request: b"/prompt_async" in request.split(b"\r\n", 1)[0]
    report = data_of(await client.call_tool("opencode_run", {**RUN, "wait_seconds": 0}))
    assert report["status"] == "running"
    assert await opencode.prompts(report["session_id"]) == 0
    proxy.release()
    ended = data_of(
        await client.call_tool(
            "opencode_wait",
            {"session_id": report["session_id"], "wait_seconds": 30, "message_id": report["message_id"]},
        )
    )
    assert (ended["status"], ended["text"], ended["message_id"]) == ("completed", "Done.", report["message_id"])
    assert await prompts_of(opencode) == 1


ROUND = 2.5
ROUNDS = 3


def of_a_directory(request: bytes) -> bool:
    """Return True if a request names a directory."""
    return b"directory" in request.split(b"\r\n", 1)[0]


async def status_of(client: Client) -> Json:
    return data_of(await client.call_tool("opencode_status", {"show": "everything"}))


@pytest.mark.both_generations
async def test_the_status_waits_for_a_project_that_opens_slower_than_a_fact_may_take(
    client: Client, proxy: SlowProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_opening, "ROUND_SECONDS", ROUND)
    assert ROUND * (ROUNDS - 1) > project_status.FACT_SECONDS
    proxy.holds = of_a_directory

    async def look() -> bool:
        return proxy.waiting >= ROUNDS

    async with meanwhile(lambda: status_of(client)) as statuses:
        await eventually(look)
        # From here on, the facts have as much time as a busy machine needs.
        monkeypatch.setattr(project_status, "FACT_SECONDS", PLENTY)
        proxy.release()
    assert "unread" not in statuses[0]
    assert "build" in statuses[0]["agents"]


@pytest.mark.both_generations
async def test_the_status_names_what_opens_too_slowly_and_is_whole_at_the_next_call(
    client: Client, proxy: SlowProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.holds = of_a_directory
    with monkeypatch.context() as patched:
        patched.setattr(project_status, "OPENING_SECONDS", 0.1)
        patched.setattr(project_status, "FACT_SECONDS", 1.0)
        status = await status_of(client)
    assert "opencode" in status
    assert {"agents", "models", "commands"} <= {field for entry in status["unread"] for field in entry["fields"]}
    proxy.release()
    monkeypatch.setattr(project_status, "FACT_SECONDS", PLENTY)
    assert "unread" not in await status_of(client)
