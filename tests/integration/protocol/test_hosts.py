"""Each host treats a long call in its own way, and one run behaves rightly for all of them."""

import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import Implementation

from opencode_mcp.server.app import build_server
from opencode_mcp.server.waiting import host_limits as hosts
from opencode_mcp.settings import Settings
from tests.harness.bridges.bridge import MODES, Bridge, Era, OpenBridge, data_of, open_bridge
from tests.harness.bridges.launch import COMMAND, Launch, attaching, left_server
from tests.harness.bridges.rawrpc import Host, RawClient, open_raw, raw_process
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import Backend, backend
from tests.scripted_model.script import bash, hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras]
Json = dict[str, Any]

ELICITATION: Json = {"elicitation": {"form": {}, "url": {}}}
CLAUDE_CODE = Host("2026-07-28", "claude-code", "2.1.330", {"elicitation": {}, "roots": {"listChanged": True}})
CLAUDE_CODE_2025 = Host("2025-11-25", "claude-code", "2.1.197", {"elicitation": {}, "roots": {}})
COPILOT = Host("2026-07-28", "github-copilot-developer", "1.0.102", {**ELICITATION, "sampling": {}})
CODEX = Host("2025-06-18", "codex-mcp-client", "0.169.0", ELICITATION)
GEMINI = Host("2025-06-18", "gemini-cli-mcp-client", "0.61.0", {"roots": {"listChanged": True}})
QWEN = Host("2025-11-25", "qwen-code-mcp-client", "0.9.0", {"roots": {}})
OPENCODE = Host("2025-11-25", "opencode", "1.18.33", {"roots": {}})
CONTINUE = Host("2025-11-25", "continue-client", "1.5.0")
CLINE = Host("2024-11-05", "Cline", "3.40.0")
ALL = (CLAUDE_CODE, CLAUDE_CODE_2025, COPILOT, CODEX, GEMINI, QWEN, OPENCODE, CONTINUE, CLINE)
DATA_READERS = (CLAUDE_CODE, CLAUDE_CODE_2025, CODEX)
"""Their models read the structured content alone; the others would read a long answer twice."""
ANSWER = " ".join(["Done for you."] * 30)
ALIVE = "tools/list"
SILENCE = re.compile(r"no (further )?output for \d+ s")
"""Part of a heartbeat: how long the model has been silent."""
EXIT = 2.0
"""Seconds that a host gives a bridge to end."""
ATTEMPTS = 3


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for all tests that end what they start."""
    return make_project(tmp_path_factory.mktemp("place"))


@pytest.fixture
def place_launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, place: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, place)


@pytest.fixture
async def opencode(opencode_server: OpenCode, place: Path) -> AsyncGenerator[Backend]:
    async with backend(opencode_server, place) as seen:
        yield seen


def held(name: str, **arguments: object) -> Json:
    """A run that is paused at a hold point."""
    prompt = script(step(text("Before. "), hold(name), text("After.")), say="Stand still")
    return {"name": "opencode_run", "arguments": {"prompt": prompt, **arguments}}


async def start_held(host: RawClient, name: str) -> str:
    """Start such a run without waiting for it, and give its session."""
    result = (await host.request("tools/call", held(name, wait_seconds=0)))["result"]
    return str(result["structuredContent"]["session_id"])


async def report(host: RawClient, session_id: str, **arguments: object) -> Json:
    return (await host.call("opencode_wait", session_id=session_id, **arguments))["structuredContent"]


# What every host does


@pytest.mark.parametrize("host", ALL, ids=lambda host: f"{host.name}-{host.protocol}")
async def test_every_host_gets_through_its_start_and_a_run(place_launch: Launch, host: Host) -> None:
    async with open_raw(place_launch, host) as client:
        for method in ("tools/list", "prompts/list", "resources/list"):
            assert "result" in await client.request(method)
        # A run without a tool call can end before there is anything to report.
        call = {"name": "opencode_run", "arguments": {"prompt": script(bash("true"), text(ANSWER))}}
        token = None if host in (CONTINUE, CLINE) else "token"
        result = (await client.request("tools/call", {**call, "_meta": {"codex/turn": 7}}, token=token))["result"]
    data = result["structuredContent"]
    assert data["status"] == "completed"
    assert ANSWER in result["content"][0]["text"]
    assert data.get("text") == (ANSWER if host in DATA_READERS else None)
    assert data.get("only_in_text") == (None if host in DATA_READERS else ["text"])
    assert bool(client.messages("notifications/progress")) == (token is not None)


@pytest.mark.parametrize("gets_progress", [True, False])
async def test_a_hosts_name_and_progress_token_decide_how_long_a_call_waits(
    tmp_path: Path,
    opencode_server: OpenCode,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    era: Era,
    gets_progress: bool,  # noqa: FBT001
) -> None:
    asked: list[tuple[str, bool]] = []

    def remember(name: str, *, gets_progress: bool) -> float:
        asked.append((name, gets_progress))
        return 30

    monkeypatch.setattr(hosts, "longest_wait", remember)
    settings = Settings(
        url=opencode_server.url,
        password=opencode_server.password,
        directories=(str(place),),
        state_directory=tmp_path,
    )
    info = Implementation(name="some-host", version="1")
    async with Client(build_server(settings), mode=MODES[era], client_info=info) as client:
        call = {"prompt": script(text("Done."))}
        # Within one process the SDK hands a callback over without a token.
        await client.call_tool("opencode_run", call, meta={"progress_token": "token"} if gets_progress else None)
        # Its own wait_seconds counts for a run; how long OpenCode may take to start is still the host's.
        await client.call_tool("opencode_run", {**call, "wait_seconds": 0})
    assert asked[0] == ("some-host", gets_progress)
    assert asked[-1] == ("some-host", False)


@pytest.mark.both_generations
@pytest.mark.parametrize("host", [CONTINUE, CLINE, OPENCODE], ids=lambda host: host.name)
async def test_a_call_ends_by_itself_before_a_weak_host_gives_up(
    place_launch: Launch, scripted_model: ScriptedModel, host: Host
) -> None:
    async with open_raw(place_launch.with_flags("--wait", "0.5"), host) as client:
        result = (await client.request("tools/call", held(f"weak-{host.name}")))["result"]
        waiting = result["structuredContent"]
        await scripted_model.release(f"weak-{host.name}")
        ended = await report(client, waiting["session_id"], wait_seconds=30)
    assert result.get("isError") in {None, False}
    assert waiting["status"] == "running"
    assert f'opencode_wait(session_id="{waiting["session_id"]}")' in waiting["next"]
    assert (ended["status"], ended["message_id"]) == ("completed", waiting["message_id"])


@pytest.mark.both_generations
async def test_a_host_that_receives_progress_is_kept_alive_by_heartbeats(
    place_launch: Launch, scripted_model: ScriptedModel
) -> None:
    async with open_raw(place_launch, OPENCODE) as client:
        began = anyio.current_time()
        call = await client.send("tools/call", held("heartbeat"), token="beat")

        async def beat() -> bool:
            notifications = [message["params"] for message in client.messages("notifications/progress")]
            return any(SILENCE.search(params.get("message", "")) for params in notifications)

        assert await eventually(beat, seconds=30)
        notifications = [message["params"]["progress"] for message in client.messages("notifications/progress")]
        assert notifications == sorted(set(notifications))
        assert 0 <= notifications[0] <= notifications[-1] <= anyio.current_time() - began
        await scripted_model.release("heartbeat")
        assert (await client.reply(call))["result"]["structuredContent"]["status"] == "completed"


# Cancelled, or given up


@pytest.mark.both_generations
@pytest.mark.parametrize("host", [CONTINUE, CLAUDE_CODE], ids=lambda host: host.name)
async def test_a_cancelled_call_ends_the_wait_and_not_the_run(
    place_launch: Launch, opencode: Backend, scripted_model: ScriptedModel, host: Host
) -> None:
    async with open_raw(place_launch, host) as client:
        number = await client.send("tools/call", held(f"cancelled-{host.name}"))
        await scripted_model.reached(f"cancelled-{host.name}")
        await client.cancel(number, "timeout")
        await client.request(ALIVE)
        (session_id,) = await opencode.busy()
        busy = await client.call("opencode_run", prompt="More.", session_id=session_id)
        assert busy["isError"]
        assert "is running another prompt: 'Stand still" in busy["content"][0]["text"]
        assert (await report(client, session_id, wait_seconds=0))["status"] == "running"
        await scripted_model.release(f"cancelled-{host.name}")
        ended = await report(client, session_id)
    assert (ended["status"], ended["text"]) == ("completed", "Before. After.")
    assert await opencode.prompts(session_id) == 1


@pytest.mark.both_generations
async def test_the_operator_can_have_a_cancelled_call_stop_its_run(
    place_launch: Launch, opencode: Backend, scripted_model: ScriptedModel
) -> None:
    async with open_raw(place_launch.with_flags("--abort-on-cancel"), CLAUDE_CODE) as client:
        number = await client.send("tools/call", held("abort"))
        await scripted_model.reached("abort")
        (session_id,) = await opencode.busy()
        await client.cancel(number, "the user pressed Esc")
        await opencode.idle(session_id)
        ended = await report(client, session_id)
    assert ended["status"] == "aborted"


@pytest.mark.both_generations
async def test_stopping_on_cancel_leaves_alone_what_the_session_does_next(
    place_launch: Launch, opencode: Backend, scripted_model: ScriptedModel
) -> None:
    async with open_raw(place_launch.with_flags("--abort-on-cancel"), CLAUDE_CODE) as client:
        first = await start_held(client, "next-1")
        before = await report(client, first, wait_seconds=0)
        await scripted_model.release("next-1")
        await report(client, first)
        await client.request("tools/call", held("next-2", session_id=first, wait_seconds=0))
        ended = await report(client, first, message_id=before["message_id"])
        assert (ended["status"], ended["text"]) == ("completed", "Before. After.")
        assert first in await opencode.busy()
        await scripted_model.release("next-2")
        await report(client, first)


@pytest.mark.both_generations
async def test_the_cancelled_notification_that_opencode_sends_after_every_result_is_harmless(
    place_launch: Launch, opencode: Backend, scripted_model: ScriptedModel
) -> None:
    async with open_raw(place_launch, OPENCODE) as client:
        session_id = await start_held(client, "opencode")
        for method, params in (
            ("tools/list", {}),
            ("prompts/get", {"name": "none", "arguments": {"a": "$1", "b": "$2"}}),
            ("tools/call", {"name": "opencode_wait", "arguments": {"session_id": session_id, "wait_seconds": 0}}),
        ):
            number = await client.send(method, params, token=f"token {method}")
            await client.reply(number)
            await client.cancel(number)
        assert session_id in await opencode.busy()
        await scripted_model.release("opencode")
        ended = await report(client, session_id)
        assert ended["status"] == "completed"


@pytest.mark.both_generations
async def test_a_host_that_gives_up_without_a_cancellation_may_call_again_while_the_first_call_runs(
    place_launch: Launch, opencode: Backend, scripted_model: ScriptedModel
) -> None:
    async with open_raw(place_launch, CLINE) as client:
        first = await client.send("tools/call", held("cline"))
        await scripted_model.reached("cline")
        (session_id,) = await opencode.busy()
        wait = {"name": "opencode_wait", "arguments": {"session_id": session_id}}
        second = await client.send("tools/call", wait)
        await client.request(ALIVE)
        await scripted_model.release("cline")
        reports = [(await client.reply(number))["result"]["structuredContent"] for number in (first, second)]
    # OpenCode may give the session its title between the two.
    assert reports[0] | {"title": ""} == reports[1] | {"title": ""}
    assert reports[0]["status"] == "completed"
    assert await opencode.prompts(session_id) == 1


# Batch modes that answer by themselves


@pytest.mark.both_generations
@pytest.mark.parametrize(
    ("host", "answer"), [(CODEX, "decline"), (CLAUDE_CODE_2025, "cancel")], ids=["codex exec", "claude -p"]
)
async def test_a_batch_mode_that_answers_a_form_by_itself_rejects_nothing(
    asking: Launch, opencode_asking: Backend, host: Host, answer: str
) -> None:
    async with open_raw(asking, host) as client:
        number = await client.send("tools/call", ask_first(), token="batch")
        form = await client.message("elicitation/create")
        await client.respond(form, {"action": answer})
        left = (await client.reply(number))["result"]["structuredContent"]
        assert left["status"] == "needs_input"
        assert left["pending"][0]["request_id"] in await opencode_asking.open_ids()
        assert left["session_id"] in await opencode_asking.busy()


@pytest.mark.both_generations
async def test_copilots_batch_mode_that_retries_with_a_refusal_rejects_nothing(
    asking: Launch, opencode_asking: Backend
) -> None:
    async with open_raw(asking, COPILOT) as client:
        call = ask_first()
        asked = (await client.request("tools/call", call))["result"]
        answers = {key: {"action": "decline"} for key in asked["inputRequests"]}
        retry = {**call, "requestState": asked["requestState"], "inputResponses": answers}
        left = (await client.request("tools/call", retry))["result"]["structuredContent"]
        assert left["status"] == "needs_input"
        assert left["pending"][0]["request_id"] in await opencode_asking.open_ids()
        assert await opencode_asking.prompts(left["session_id"]) == 1


@pytest.fixture
def asking(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, asking_project: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, asking_project)


@pytest.fixture
async def opencode_asking(opencode_server: OpenCode, asking_project: Path) -> AsyncGenerator[Backend]:
    async with backend(opencode_server, asking_project) as seen:
        yield seen


def ask_first() -> Json:
    return {"name": "opencode_run", "arguments": {"prompt": script(bash("echo batch"), text("Ran."))}}


# Several hosts


async def test_a_second_host_waits_for_the_same_run_and_both_get_the_same_report(
    bridge: OpenBridge, scripted_model: ScriptedModel
) -> None:
    async with bridge(era="2025") as first, bridge(era="2026") as second:
        call = held("two hosts")["arguments"]
        started = data_of(await first.call("opencode_run", **call, wait_seconds=0))
        reports: list[Json] = []

        async def wait(host: Bridge) -> None:
            reports.append(data_of(await host.call("opencode_wait", session_id=started["session_id"])))

        async with anyio.create_task_group() as waiters:
            for host in (first, second, first):
                waiters.start_soon(wait, host)
            await scripted_model.reached("two hosts")
            await scripted_model.release("two hosts")
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["text"] == "Before. After."


# Bridges that end


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals: hosts kill, or close stdin")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
async def test_claude_code_may_start_a_bridge_three_times_and_signal_it_to_end(own_launch: Launch, name: str) -> None:
    launch = own_launch.as_installed() if name == "SIGTERM" else own_launch
    for _ in range(3):
        async with open_raw(launch, CLAUDE_CODE) as client:
            await client.request("tools/list")
            client.process.send_signal(signal.Signals[name])
            assert await client.exit_code(seconds=20) == 0
    assert left_server(own_launch) is None


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of Windows sends no signals")
async def test_ctrl_c_at_a_terminal_ends_a_bridge_at_once(own_launch: Launch) -> None:
    keyboard, terminal = os.openpty()
    command = [str(COMMAND), *own_launch.arguments]
    with own_launch.log.open("ab") as log:
        process = await anyio.open_process(command, stdin=terminal, env=own_launch.environment, stderr=log)
    os.close(terminal)
    async with process:
        # Closed at last, whatever happens: else a bridge that ignores the signal would be waited for without end.
        try:
            assert process.stdout
            os.write(keyboard, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode() + b"\n")
            with anyio.fail_after(20):
                assert json.loads(await process.stdout.receive())["id"] == 1
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 0
        finally:
            os.close(keyboard)
    assert own_launch.printed() == ""


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "with a call under way"])
async def test_a_bridge_ends_cleanly_within_two_seconds_of_a_closed_stdin(
    launch: Launch,
    scripted_model: ScriptedModel,
    busy: bool,  # noqa: FBT001
) -> None:
    # Another process may delay the end once, but not every time.
    codes: list[int | None] = []
    while 0 not in codes and len(codes) < ATTEMPTS:
        codes.append(await exit_after_closed_input(launch, scripted_model, f"closed {len(codes)}", busy=busy))
    assert 0 in codes
    assert set(codes) <= {0, None}
    assert "Traceback" not in launch.printed()


async def exit_after_closed_input(launch: Launch, model: ScriptedModel, name: str, *, busy: bool) -> int | None:
    """Close a bridge's stdin and give its exit code; none if it still runs after two seconds."""
    async with open_raw(launch, CLAUDE_CODE) as client:
        await client.call("opencode_status")
        if busy:
            await client.send("tools/call", held(name))
            await model.reached(name)
        await client.close_input()
        try:
            return await client.exit_code(seconds=EXIT)
        except TimeoutError:
            return None
        finally:
            await model.release(name)


async def test_a_bridge_without_settings_ends_with_its_stdin(launch: Launch) -> None:
    async with raw_process(launch) as client:
        await client.close_input()
        assert await client.exit_code(seconds=20) == 0


ENDINGS = ["SIGKILL", "SIGTERM", "closed stdin"] if sys.platform != "win32" else ["SIGKILL", "closed stdin"]


async def test_runs_outlive_their_bridges_however_these_end_and_the_next_one_reports_them(
    own_launch: Launch, scripted_model: ScriptedModel
) -> None:
    sessions: dict[str, str] = {}
    for ending in ENDINGS:
        async with open_raw(own_launch.as_installed(), CLAUDE_CODE) as client:
            session_id = sessions[ending] = await start_held(client, f"outlives {ending}")
            await client.send("tools/call", {"name": "opencode_wait", "arguments": {"session_id": session_id}})
            await scripted_model.reached(f"outlives {ending}")
            await end(client, ending)
        assert left_server(own_launch) is not None
    async with open_bridge(own_launch) as host:
        for ending, session_id in sessions.items():
            session = {"session_id": session_id}
            assert data_of(await host.call("opencode_wait", **session, wait_seconds=0))["status"] == "running", ending
            await scripted_model.release(f"outlives {ending}")
            ended = data_of(await host.call("opencode_wait", **session))
            assert (ended["status"], ended["text"]) == ("completed", "Before. After."), ending


async def end(client: RawClient, ending: str) -> None:
    match ending:
        case "SIGKILL":
            client.process.kill()
        case "SIGTERM":
            client.process.terminate()
        case _:
            await client.close_input()
    await client.exit_code(seconds=10)
