"""Tests on the stand-in for OpenCode 2, for what the preview cannot do: see docs/opencode2-tests.md."""

from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import Launch
from tests.harness.opencode2.standin.app import StandIn, running_standin
from tests.harness.opencode2.standin.state import now
from tests.harness.processes.isolation import basics
from tests.harness.project import make_project
from tests.harness.waiting import eventually
from tests.integration.host import Host, meanwhile

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
DENY: Json = {"action": "shell", "resource": "*", "effect": "deny"}
ALLOW: Json = {**DENY, "effect": "allow"}
MODEL: Json = {"id": "m1", "providerID": "stand-in"}


@pytest.fixture
async def standin() -> AsyncGenerator[StandIn]:
    async with running_standin() as standin:
        yield standin


@pytest.fixture
async def host(standin: StandIn, tmp_path: Path) -> AsyncGenerator[Host]:
    """A host whose bridge may call every operation."""
    project = make_project(tmp_path / "project")
    variables = basics() | {
        "HOME": str(tmp_path),
        "OPENCODE_MCP_URL": standin.url,
        "OPENCODE_MCP_PASSWORD": standin.password,
        "OPENCODE_MCP_STATE": str(tmp_path / "bridge"),
    }
    arguments = ("--directory", str(project), "--allow", "execute,admin", "--permissions", "human")
    async with open_bridge(Launch(arguments, variables, tmp_path / "bridge.log")) as bridge:
        yield Host(bridge)


async def call(host: Host, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON value
    """Call an operation that changes something, and return OpenCode's reply."""
    data = await host.data("opencode_call_operation", operation=operation, arguments=arguments)
    return data.get("reply")


async def session_of(host: Host, **more: object) -> str:
    return (await call(host, "session.create", title="Ruled", **more))["data"]["id"]


async def test_an_operator_may_let_callers_set_and_replace_the_permission_rules_of_a_session(
    host: Host, standin: StandIn
) -> None:
    session = await session_of(host, permissions=[DENY])
    info = standin.state.sessions[session].info
    assert info["permissions"] == [DENY]
    await call(host, "session.update", sessionID=session, permissions=[ALLOW])
    assert info["permissions"] == [ALLOW]


async def test_an_item_of_the_inbox_is_changed_and_taken_back(host: Host, standin: StandIn) -> None:
    session = await session_of(host)
    admitted = [await call(host, "session.prompt", sessionID=session, text=text) for text in ("Stays.", "Goes.")]
    kept, gone = [item["data"]["id"] for item in admitted]
    await call(host, "session.inbox.update", sessionID=session, inboxID=kept, delivery="queue")
    await call(host, "session.inbox.cancel", sessionID=session, inboxID=gone)
    assert [(item["id"], item["delivery"]) for item in standin.state.sessions[session].inbox] == [(kept, "queue")]


async def test_a_prompt_that_is_stopped_before_it_begins_is_withdrawn(host: Host, standin: StandIn) -> None:
    report = await host.data("opencode_run", prompt="Never begun.", wait_seconds=60)
    assert (report["status"], report["text"]) == ("aborted", "")
    assert "was withdrawn" in report["note"]
    assert standin.state.sessions[report["session_id"]].inbox == []


async def test_a_reload_ends_open_requests_and_a_waiting_call_reports_it(host: Host, standin: StandIn) -> None:
    started = await begun(host, standin)
    session = standin.state.sessions[started]
    await call(host, "permission.create", sessionID=started, action="shell", resources=["ls"])
    waiting = await host.wait(started, wait_seconds=30)
    assert waiting["status"] == "needs_input"
    assert [item["request_id"] for item in waiting["pending"]] == [session.permissions[0]["id"]]
    await call(host, "location.reload")
    again = await host.wait(started, wait_seconds=0)
    assert (again["status"], again.get("pending", [])) == ("running", [])


async def test_a_run_that_the_background_service_resumes_is_followed_to_its_end(host: Host, standin: StandIn) -> None:
    started = await begun(host, standin)
    session = standin.state.sessions[started]
    async with meanwhile(partial(host.wait, started, wait_seconds=60)) as reports:
        await eventually(partial(is_listening, standin))
        # The server goes away in the middle of a step, and the service starts another one.
        session.messages.append(step("msg_broken", ""))
        session.is_active = False
        standin.close()
        await eventually(partial(is_listening, standin))
        resumed = "The server restarted while you were working. Go on."
        session.messages.append({"id": "msg_resumed", "type": "synthetic", "time": {"created": now()}, "text": resumed})
        session.is_active = True
        session.messages.append(step("msg_done", "stop", "Went on."))
        session.messages.append({"id": "msg_idle", "type": "idle", "time": {"created": now()}, "outcome": "succeeded"})
        session.is_active = False
    assert [(report["status"], report["text"]) for report in reports] == [("completed", "Went on.")]


async def begun(host: Host, standin: StandIn) -> str:
    """Send a prompt that the stand-in begins and never finishes; return its session."""
    async with meanwhile(partial(host.data, "opencode_run", prompt="Work.", wait_seconds=0)) as reports:

        async def begin() -> bool:
            waiting = [session for session in standin.state.sessions.values() if session.inbox]
            for session in waiting:
                session.begin()
            return bool(waiting)

        await eventually(begin)
    assert reports[0]["status"] == "running", reports
    return reports[0]["session_id"]


async def is_listening(standin: StandIn) -> bool:
    """Return whether the bridge follows the events."""
    return bool(standin.listeners)


def step(message_id: str, finish: str, text: str = "") -> Json:
    """A step of the model; one without ``finish`` is incomplete."""
    done: Json = {"finish": finish, "cost": 0, "tokens": TOKENS} if finish else {}
    time = {"created": now()} | ({"completed": now()} if finish else {})
    content = [{"type": "text", "text": text}] if text else []
    made: Json = {"id": message_id, "type": "assistant", "agent": "build", "model": MODEL, "time": time}
    return {**made, "content": content, **done}


TOKENS: Json = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}
