"""OpenCode 1.18 cannot list its permissions while one has an argument left out: nothing may fail for that."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.harness.bridges.bridge import Era, data_of, open_bridge
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import Backend, backend
from tests.integration.person import Person, filled
from tests.scripted_model.script import bash, script, text, tool

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras]

GREP = tool("grep", pattern="def")
"""Its argument ``path`` is left out."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = make_project(tmp_path / "project")
    configure(directory, {"permission": {"grep": "ask", "bash": "ask"}})
    return directory


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, project)


@pytest.fixture
async def opencode(opencode_server: OpenCode, project: Path) -> AsyncGenerator[Backend]:
    seen = backend(opencode_server, project)
    async with seen.http:
        yield seen


async def is_unreadable(opencode: Backend) -> bool:
    return (await opencode.http.get("/permission")).status_code == 400


async def test_every_tool_of_the_project_goes_on_while_the_list_cannot_be_read(
    launch: Launch, opencode: Backend
) -> None:
    async with open_bridge(launch) as host:
        asking = data_of(await host.call("opencode_run", prompt=script(GREP, text("Found."))))
        assert await is_unreadable(opencode)
        assert asking["status"] == "needs_input"
        (request,) = asking["pending"]
        assert (request["permission"], request["patterns"]) == ("grep", ["def"])
        other = data_of(await host.call("opencode_run", prompt=script(text("Asks nothing."))))
        assert (other["status"], other["text"]) == ("completed", "Asks nothing.")
        assert data_of(await host.call("opencode_session", session_id=asking["session_id"]))["pending"] == [
            {key: value for key, value in request.items() if key != "agent_may_answer"}
        ]
        beside = data_of(await host.call("opencode_run", prompt=script(bash("echo beside"), text("Ran."))))
        (second,) = beside["pending"]
        answer = {"request_id": second["request_id"], "reply": "once"}
        assert data_of(await host.call("opencode_reply_permission", **answer))["text"] == "Ran."
        answer = {"request_id": request["request_id"], "reply": "once"}
        ended = data_of(await host.call("opencode_reply_permission", **answer))
    assert (ended["status"], ended["text"]) == ("completed", "Found.")


async def test_after_an_abort_the_dead_entry_is_gone_from_view(launch: Launch, opencode: Backend) -> None:
    async with open_bridge(launch) as host:
        asking = data_of(await host.call("opencode_run", prompt=script(GREP, text("Never."))))
        session = {"session_id": asking["session_id"]}
        aborted = data_of(await host.call("opencode_abort", **session))
        assert (aborted["status"], aborted.get("pending")) == ("aborted", [])
        assert await is_unreadable(opencode)
        later = data_of(await host.call("opencode_run", **session, prompt=script(bash("echo later"), text("Ran."))))
        assert [request["patterns"] for request in later["pending"]] == [["echo later"]]
        answer = {"request_id": later["pending"][0]["request_id"], "reply": "once"}
        assert data_of(await host.call("opencode_reply_permission", **answer))["text"] == "Ran."
        dead = {"request_id": asking["pending"][0]["request_id"], "reply": "once"}
        assert "not open any more" in data_of(await host.call("opencode_reply_permission", **dead))["note"]
    # A bridge that comes later has got no event, and works all the same.
    async with open_bridge(launch) as host:
        fresh = data_of(await host.call("opencode_run", prompt=script(bash("echo fresh"), text("Ran."))))
        answer = {"request_id": fresh["pending"][0]["request_id"], "reply": "once"}
        assert data_of(await host.call("opencode_reply_permission", **answer))["text"] == "Ran."


async def test_a_person_is_shown_the_form_and_policy_answers_all_the_same(launch: Launch, era: Era) -> None:
    person = Person(filled(decision="once"))
    async with open_bridge(launch, era=era, elicit=person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(GREP, text("Found."))))
    assert report["text"] == "Found."
    assert "grep: def" in person.forms[0].message
    async with open_bridge(launch.with_flags("--permissions", "allow"), era=era) as host:
        report = data_of(await host.call("opencode_run", prompt=script(GREP, text("Found."))))
    assert report["text"] == "Found."
    assert [decision["permission"] for decision in report["decided"]] == ["grep"]
