"""Reports over stdio: each says which run it is about, what that does now, and what the caller can do next."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.access.operation_uses import TOOL_USES
from opencode_mcp.server.instructions import TOOL_NAME
from tests.harness.bridge import open_bridge
from tests.harness.differences import tool_name
from tests.harness.launch import attaching
from tests.harness.model import ScriptedModel
from tests.harness.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import bash, failure, hold, question, questions, step, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


async def test_a_running_report_shows_the_answer_so_far_as_unfinished(
    host: Host, scripted_model: ScriptedModel, case: str
) -> None:
    gate = f"so far {case}"
    session = await host.start(step(text("Half of the answer"), hold(gate)), title="Halves")
    await scripted_model.reached(gate)

    async def look() -> bool:
        return bool((await host.wait(session, wait_seconds=0))["text"])

    assert await eventually(look)
    told = await host.text("opencode_wait", session_id=session, wait_seconds=0)
    assert "Answer so far (unfinished):\n```\nHalf of the answer\n```" in told
    assert "Doing: writing, 18 characters" in told
    assert '"Halves" · prompt: "Do as the script says.' in told
    assert "OpenCode's answer" not in told
    await scripted_model.release(gate)
    ended = await host.text("opencode_wait", session_id=session)
    assert "OpenCode's answer:\n```\nHalf of the answer\n```" in ended
    assert "Doing:" not in ended


async def test_a_report_says_what_the_run_does_at_this_moment(
    host: Host, scripted_model: ScriptedModel, case: str, opencode_generation: Generation
) -> None:
    gate = f"now {case}"
    session = await host.start(bash("echo first; sleep 1000"), step(text("Over.")), title="Busy now")

    async def runs() -> bool:
        return "echo first" in (await host.wait(session, wait_seconds=0)).get("activity", "")

    assert await eventually(runs)
    activity = (await host.wait(session, wait_seconds=0))["activity"]
    assert activity.startswith(f"{tool_name('bash', opencode_generation)}: echo first; sleep 1000")
    await host.data("opencode_abort", session_id=session)
    await host.run(step(hold(gate), text("Later.")), session_id=session, wait_seconds=0)
    await scripted_model.reached(gate)
    later = await host.wait(session, wait_seconds=0)
    assert later["activity"].startswith("waiting for the model")
    await scripted_model.release(gate)
    assert (await host.wait(session))["text"] == "Later."


async def test_of_several_sessions_those_that_go_on_take_a_line_and_next_names_them(
    host: Host, scripted_model: ScriptedModel, case: str
) -> None:
    gate = f"several {case}"
    done = await host.start(text("Ready."), title="Short")
    held = await host.start(step(text("Not yet"), hold(gate)), title="Long")
    await scripted_model.reached(gate)
    waited = {"session_ids": [done, held], "until": "any"}
    told = await host.text("opencode_wait", **waited)
    assert "OpenCode's answer:\n```\nReady.\n```" in told
    (line,) = [line for line in told.splitlines() if line.startswith("running · ")]
    assert held in line
    assert '"Long"' in line
    assert "Answer so far" not in told
    step_told = f'1 of 2 go on: opencode_wait(session_ids=["{held}"], until="any").'
    assert told.splitlines()[-1] == f"Next: {step_told}"
    data = await host.data("opencode_wait", **waited)
    assert data["next"] == step_told
    assert [run.get("text", "") for run in data["runs"]] == ["Ready.", ""]
    await scripted_model.release(gate)
    both = await host.data("opencode_wait", session_ids=[done, held])
    assert both["next"] == "All have ended. Each report names its next step."


async def test_the_progress_of_several_sessions_names_them(
    host: Host, scripted_model: ScriptedModel, case: str
) -> None:
    gates = [f"named {case} {number}" for number in range(2)]
    sessions = [await host.start(step(hold(gate), text("Done."))) for gate in gates]
    for gate in gates:
        await scripted_model.reached(gate)
    host.bridge.progress.clear()
    async with meanwhile(lambda: host.data("opencode_wait", session_ids=sessions)):
        for session in sessions:
            await host.hears(f"{session} (Do as the script says.")
        for gate in gates:
            await scripted_model.release(gate)


# Requests


async def test_a_question_is_told_once_and_labels_cannot_be_confused_with_descriptions(host: Host) -> None:
    report = await host.run(question("Which colour?", "Red", "Blue"), text("Thanks."))
    told = await host.text("opencode_wait", session_id=report["session_id"], wait_seconds=0)
    assert told.count("Which colour?") == 1
    assert '- "Red" (Choose Red)' in told
    assert "Doing:" not in told
    assert "activity" not in report
    await host.data("opencode_abort", session_id=report["session_id"])


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ('"red" (Choose Red)', '""red" (Choose Red)" was taken as the option "Red".'),
        ("Green", '"Green" is no label of the question, so it was passed on as own words.'),
    ],
)
async def test_an_answer_that_nearly_is_a_label_is_taken_as_it_and_said_so(host: Host, given: str, taken: str) -> None:
    report = await host.run(question("Which colour?", "Red", "Blue"), text("Thanks."))
    (asked,) = report["pending"]
    ended = await host.data("opencode_reply_question", request_id=asked["request_id"], answers=[[given]])
    assert (ended["status"], ended.get("note", "")) == ("completed", taken)
    answered = await host.text("opencode_session", session_id=report["session_id"])
    assert ("Green" if given == "Green" else "Red") in answered


async def test_the_time_that_a_run_waited_for_an_answer_is_told_apart(host: Host) -> None:
    report = await host.run(question("Which colour?", "Red"), text("Thanks."))
    await anyio.sleep(1.2)
    ended = await host.data("opencode_reply_question", request_id=report["pending"][0]["request_id"], answers=[["Red"]])
    assert 1.2 <= ended["waited"] <= ended["seconds"]
    told = await host.text("opencode_wait", session_id=report["session_id"])
    assert re.search(r" s \(\d+\.\d s of it waiting for an answer\)", told.splitlines()[0])


async def test_the_id_of_a_request_of_the_other_kind_names_the_right_tool(host: Host, asking: Path) -> None:
    asked = await host.run(question("Which?", "Red"), text("Thanks."))
    permission = await host.run(bash("echo which"), text("Done."), directory=str(asking))
    question_id, permission_id = (report["pending"][0]["request_id"] for report in (asked, permission))
    error = await host.error("opencode_reply_permission", request_id=question_id, reply="once")
    assert "is the id of a question" in error
    assert "opencode_reply_question" in error
    error = await host.error("opencode_reply_question", request_id=permission_id, answers=[["Red"]])
    assert "is the id of a permission" in error
    assert "opencode_reply_permission" in error
    for report in (asked, permission):
        await host.data("opencode_abort", session_id=report["session_id"])


async def test_a_dismissed_question_does_not_look_like_a_finished_task(host: Host) -> None:
    report = await host.run(question("Which?", "Red"), text("Thanks."))
    ended = await host.data("opencode_reply_question", request_id=report["pending"][0]["request_id"], reject=True)
    assert ended["shortfall"] == "The run ended because its question was dismissed, not because the task was done."


async def test_a_refused_permission_does_not_look_like_a_finished_task(
    host: Host, asking: Path, opencode_generation: Generation
) -> None:
    report = await host.run(bash("echo refused"), text("Done."), directory=str(asking))
    ended = await host.data("opencode_reply_permission", request_id=report["pending"][0]["request_id"], reply="reject")
    tool = tool_name("bash", opencode_generation)
    assert ended["shortfall"] == (
        f"The run ended because the permission for {tool}: echo refused was refused, not because the task was done."
    )


async def test_a_decision_left_to_a_person_comes_back_where_the_host_shows_no_forms(host: Host, asking: Path) -> None:
    report = await host.run(bash("echo human"), text("Done."), directory=str(asking), permissions="human")
    assert report["status"] == "needs_input"
    assert "This host shows no forms" in report["next"]
    assert "Ask the person, then answer with opencode_reply_permission" in report["next"]
    await host.data("opencode_abort", session_id=report["session_id"])


# Failures


async def test_a_failed_run_names_another_model(host: Host) -> None:
    report = await host.run(failure(400, "No such tool"))
    assert 'model="scripted/m2", prompt=...)' in report["next"]
    again = await host.run(text("Better."), session_id=report["session_id"], model="scripted/m2")
    assert again["text"] == "Better."


async def test_a_refused_key_names_the_command_for_credentials(host: Host) -> None:
    report = await host.run(failure(401, "Invalid API key"))
    assert "The key of scripted is missing or refused" in report["next"]
    assert "`opencode auth login`" in report["next"]
    assert 'model="scripted/m2"' in report["next"]


# Files


async def test_a_change_that_another_session_may_have_made_is_marked(
    host: Host, scripted_model: ScriptedModel, tracked: Path, case: str
) -> None:
    gate = f"parallel {case}"
    mine, theirs = f"mine-{case}.txt", f"theirs-{case}.txt"
    first = await host.start(step(hold(gate), write(mine, "x\n")), text("Mine."), directory=str(tracked))
    await scripted_model.reached(gate)
    second = await host.run(write(theirs, "y\n"), text("Theirs."), directory=str(tracked))
    await scripted_model.release(gate)
    report = await host.wait(first)
    perhaps_by = {file["path"]: file.get("perhaps_by", []) for file in report["files"]}
    assert perhaps_by == {mine: [], theirs: [second["session_id"]]}
    told = await host.text("opencode_wait", session_id=first)
    assert f"added {theirs} +1 -0 (?)" in told
    assert f"(?) No edit of this run names it. {second['session_id']} worked in the project meanwhile" in told


# Tools that are not listed


@pytest.fixture
async def reader(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, workplace: Path
) -> AsyncGenerator[Host]:
    """A host whose bridge only reads."""
    launch = attaching(tmp_path, scripted_model, opencode_server, workplace).telling("--read-only")
    async with open_bridge(launch) as bridge:
        yield Host(bridge)


async def test_a_read_only_bridge_suggests_no_tool_that_it_does_not_list(
    host: Host, reader: Host, scripted_model: ScriptedModel, case: str
) -> None:
    gate = f"read only {case}"
    listed = {tool.name for tool in (await reader.bridge.client.list_tools()).tools}
    unlisted = set(TOOL_USES) - listed
    assert "opencode_run" in unlisted
    asked = await host.run(questions({"question": "Which?", "header": "Q", "options": []}), text("Thanks."))
    failed = await host.run(failure(400, "No such tool"))
    held = await host.start(step(hold(gate), text("Done.")))
    for session in (asked["session_id"], failed["session_id"], held):
        told = await reader.text("opencode_wait", session_id=session, wait_seconds=0)
        assert not unlisted & set(TOOL_NAME.findall(told)), told
    await scripted_model.release(gate)
    await host.wait(held)
    assert "opencode_run" not in await reader.text("opencode_wait", session_id=held)
    await host.data("opencode_abort", session_id=asked["session_id"])
