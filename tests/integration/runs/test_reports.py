"""Reports over stdio: each says which run it is about, what that does now, and what the caller can do next."""

import json
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.access.operations_of_tools import TOOL_USES
from opencode_mcp.server.instructions import TOOL_NAME
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.differences import tool_name
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import backend
from tests.integration.host import Host, Json, meanwhile
from tests.scripted_model.actions import Action
from tests.scripted_model.script import (
    bash,
    edit,
    failure,
    hold,
    question,
    questions,
    script,
    step,
    task,
    text,
    tool,
    write,
)

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


async def test_a_running_report_shows_the_answer_so_far_as_unfinished(
    host: Host, scripted_model: ScriptedModel, case: str, reader: Host
) -> None:
    gate = f"so far {case}"
    session = await host.start(step(text("Half of the answer"), hold(gate)), title="Halves")
    await scripted_model.reached(gate)

    async def look() -> bool:
        return bool((await host.wait(session, wait_seconds=0))["text"])

    assert await eventually(look)
    output = await host.text("opencode_wait", session_id=session, wait_seconds=0)
    so_far = "Answer so far (unfinished):\n```\nHalf of the answer\n```"
    assert so_far in output
    assert "Doing: writing, 18 characters" in output
    assert '"Halves" · prompt: "Do as the script says.' in output
    assert "OpenCode's answer" not in output
    activity = (await reader.wait(session, wait_seconds=0))["activity"]
    assert activity == "the model has begun its answer; its text is not known here"
    assert "\nDoing: writing, 18 characters" in await host.text("opencode_session", session_id=session)
    assert f"{so_far}\n" in await host.text("opencode_session", session_id=session)
    assert f"\nDoing: {activity}" in await reader.text("opencode_session", session_id=session)
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
    host: Host, scripted_model: ScriptedModel, opencode_server: OpenCode, workplace: Path, case: str
) -> None:
    gate = f"several {case}"
    done = await host.start(text("Ready."), title="Short")
    held = await host.start(step(text("Not yet"), hold(gate)), title="Long")
    await scripted_model.reached(gate)
    waited = {"session_ids": [done, held], "until": "any"}
    output = await host.text("opencode_wait", **waited)
    assert "OpenCode's answer:\n```\nReady.\n```" in output
    (line,) = [line for line in output.splitlines() if line.startswith("running · ")]
    assert held in line
    assert '"Long"' in line
    assert "Answer so far" not in output
    suggestion = f'1 of 2 is still running: opencode_wait(session_ids=["{held}"], until="any").'
    assert output.splitlines()[-1] == f"Next: {suggestion}"
    data = await host.data("opencode_wait", **waited)
    assert data["next"] == suggestion
    assert [run.get("text", "") for run in data["runs"]] == ["Ready.", ""]
    await scripted_model.release(gate)
    both = await host.data("opencode_wait", session_ids=[done, held])
    assert both["next"] == "All have ended. Each report names its next step."

    async with backend(opencode_server, workplace) as opencode:
        empty = await opencode.create_session("Empty")
    beside = await host.data("opencode_wait", session_ids=[empty, done])
    assert [run["text"] for run in beside["runs"]] == ["Ready."]
    assert beside["without_run"] == [empty]
    assert f"{empty} has no run yet" in await host.error("opencode_wait", session_ids=[empty])
    assert f"Nothing runs in {empty}; there is nothing" in await host.error("opencode_abort", session_id=empty)


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
            await host.wait_for_progress(f"{session} (Do as the script says.")
        for gate in gates:
            await scripted_model.release(gate)


# Requests


async def test_a_question_is_reported_once_and_labels_cannot_be_confused_with_descriptions(host: Host) -> None:
    report = await host.run(question("Which colour?", "Red", "Blue"), text("Thanks."))
    output = await host.text("opencode_wait", session_id=report["session_id"], wait_seconds=0)
    assert output.count("Which colour?") == 1
    assert '- "Red" (Choose Red)' in output
    assert "Doing:" not in output
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


async def test_the_time_that_a_run_waited_for_an_answer_is_distinguished(host: Host) -> None:
    report = await host.run(question("Which colour?", "Red"), text("Thanks."))
    await anyio.sleep(1.2)
    ended = await host.data("opencode_reply_question", request_id=report["pending"][0]["request_id"], answers=[["Red"]])
    assert 1.2 <= ended["waited"] <= ended["seconds"]
    output = await host.text("opencode_wait", session_id=report["session_id"])
    assert re.search(r" s \(\d+\.\d s of it waiting for an answer\)", output.splitlines()[0])


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


@dataclass(frozen=True, slots=True)
class Parallel:
    """Two runs that worked in one directory at the same time; the first one ended last."""

    first: Json
    second: Json


async def in_parallel(
    host: Host, model: ScriptedModel, gate: str, before: Sequence[Action], theirs: Sequence[Action], directory: Path
) -> Parallel:
    """Run some actions in one session, and others in a second session during the same step of the first."""
    steps = step(hold(gate), *before)
    first = await host.start(steps, text("Mine."), directory=str(directory), title="Mine")
    await model.reached(gate)
    second = await host.run(*theirs, text("Theirs."), directory=str(directory), title="Theirs")
    await model.release(gate)
    return Parallel(await host.wait(first), second)


def authors(report: Json) -> dict[str, tuple[str, list[str]]]:
    return {
        file["path"]: (file.get("whose", "this"), [other["session_id"] for other in file.get("others", [])])
        for file in report.get("files", [])
    }


async def test_a_file_that_another_session_names_is_reported_as_changed_by_that_one_everywhere_and_later(
    host: Host, scripted_model: ScriptedModel, tracked: Path, case: str, reader: Host
) -> None:
    mine, theirs = f"mine-2-{case}.txt", f"theirs-2-{case}.txt"
    runs = await in_parallel(
        host, scripted_model, f"named {case}", [write(mine, "x\n")], [write(theirs, "y\n")], tracked
    )
    other = runs.second["session_id"]
    expected: dict[str, tuple[str, list[str]]] = {mine: ("this", []), theirs: ("other", [other])}
    assert authors(runs.first) == expected
    for caller in (host, reader):
        again = await caller.wait(runs.first["session_id"], wait_seconds=0)
        assert authors(again) == expected
    output = await host.text("opencode_wait", session_id=runs.first["session_id"])
    heading = "Changed by other sessions in the same directory, not by this run:"
    assert f'{heading}\nadded {theirs} +1 -0 (by {other} "Theirs")' in output
    diff = await host.data("opencode_diff", session_id=runs.first["session_id"])
    assert authors(diff) == {mine: ("this", [])}
    assert diff["diff"].startswith("1 file changed by this session, +1 -0\n")
    assert theirs not in diff["diff"]
    assert diff["note"] == f'1 file that other sessions changed is left out: {theirs} ({other} "Theirs").'
    only = await host.text("opencode_diff", session_id=runs.first["session_id"], files=[theirs])
    assert only.startswith(
        f'No file changed by this session fits files=["{theirs}"]. Changed: {mine}. 1 file that other'
    )


async def test_where_opencode_records_no_files_a_report_and_a_diff_name_those_of_the_tool_calls(
    host: Host, workplace: Path, case: str
) -> None:
    name = f"unrecorded-{case}.txt"
    report = await host.run(write(name, "x\n"), text("Written."), directory=str(workplace))
    assert [(file["path"], file.get("by_calls")) for file in report["files"]] == [(name, True)]
    output = await host.text("opencode_diff", session_id=report["session_id"])
    assert output == f"OpenCode shows no changes. By its tool calls it changed {name}."


async def test_a_file_that_git_ignores_is_named_by_the_tool_call_that_changed_it(
    host: Host, tracked: Path, case: str
) -> None:
    name = f"ignored-{case}.txt"
    (tracked / ".git" / "info").mkdir(exist_ok=True)
    (tracked / ".git" / "info" / "exclude").write_text("ignored-*\n", encoding="utf-8")
    (tracked / name).write_text("old\n", encoding="utf-8")
    report = await host.run(edit(name, "old", "new"), text("Edited."), directory=str(tracked))
    assert [(file["path"], file.get("by_calls")) for file in report["files"]] == [(name, True)]
    output = await host.text("opencode_diff", session_id=report["session_id"])
    assert output == f"OpenCode shows no changes. By its tool calls it changed {name}."


async def test_an_undo_that_would_take_back_changes_of_another_session_is_refused_and_changes_nothing(
    host: Host, scripted_model: ScriptedModel, tracked: Path, case: str
) -> None:
    mine, theirs = f"mine-3-{case}.txt", f"theirs-3-{case}.txt"
    runs = await in_parallel(
        host, scripted_model, f"undone {case}", [write(mine, "x\n")], [write(theirs, "y\n")], tracked
    )
    point = {"session_id": runs.first["session_id"], "message_id": runs.first["message_id"]}
    refused = await host.error("opencode_revert", **point)
    assert "Nothing was undone" in refused
    assert f'{theirs} ({runs.second["session_id"]} "Theirs")' in refused
    safe = f'opencode_run(session_id="{runs.first["session_id"]}", prompt="Undo your own changes of {mine} by hand.")'
    assert safe in refused
    assert f"with the loss of the changes of others in {theirs}, ask the person first" in refused
    assert "at the same time in one directory" in refused
    assert "Next time, opencode_run(isolate=true) gives each of such runs files of its own." in refused
    assert refused.index(safe) < refused.index("opencode_call_operation")
    assert [(tracked / name).exists() for name in (mine, theirs)] == [True, True]
    call = re.search(r'opencode_call_operation\(operation="([\w.]+)", arguments=(\{.*?\})\)', refused)
    assert call
    await host.data("opencode_call_operation", operation=call[1], arguments=json.loads(call[2]))
    assert [(tracked / name).exists() for name in (mine, theirs)] == [False, False]


async def test_an_undo_leaves_what_another_session_has_made_of_a_file_since(
    host: Host, tracked: Path, case: str
) -> None:
    name = f"later-{case}.txt"
    first = await host.run(write(name, "one\n"), text("Made."), directory=str(tracked))
    second = await host.run(write(name, "two\n"), text("Changed."), directory=str(tracked))
    point = {"session_id": first["session_id"], "message_id": first["message_id"]}
    refused = await host.error("opencode_revert", **point)
    assert f"Changed by this session and by others: {name} ({second['session_id']}" in refused
    assert f'undo the latest first: opencode_revert(session_id="{second["session_id"]}", message_id=...)' in refused
    assert (tracked / name).read_text(encoding="utf-8") == "two\n"
    await host.data("opencode_revert", session_id=second["session_id"], message_id=second["message_id"])
    assert (tracked / name).read_text(encoding="utf-8") == "one\n"


async def test_an_undo_leaves_what_a_command_of_another_session_has_added_since(
    host: Host, tracked: Path, case: str
) -> None:
    name = f"appended-{case}.txt"
    first = await host.run(write(name, "one\n"), text("Made."), directory=str(tracked))
    second = await host.run(bash(f"echo two >> {name}"), text("Appended."), directory=str(tracked))
    point = {"session_id": first["session_id"], "message_id": first["message_id"]}
    refused = await host.error("opencode_revert", **point)
    assert f"not known by whom: {name} (this session or {second['session_id']}" in refused
    assert (tracked / name).read_text(encoding="utf-8") == "one\ntwo\n"
    await host.data("opencode_revert", session_id=second["session_id"], message_id=second["message_id"])
    await host.data("opencode_revert", **point)
    assert not (tracked / name).exists()


async def test_a_fork_does_not_undo_what_it_copied(host: Host, tracked: Path, case: str) -> None:
    name = f"kept-by-fork-{case}.txt"
    first = await host.run(write(name, "one\n"), text("Made."), directory=str(tracked))
    fork = await host.data("opencode_fork", session_id=first["session_id"])
    copied = re.search(r"msg_\w+", await host.text("opencode_session", session_id=fork["session_id"]))
    assert copied
    refused = await host.error("opencode_revert", session_id=fork["session_id"], message_id=copied[0])
    assert "was copied into it" in refused
    assert (tracked / name).exists()


async def test_what_another_session_changed_since_an_undo_is_not_lost_when_that_is_taken_back(
    host: Host, tracked: Path, case: str
) -> None:
    mine, kept = f"mine-5-{case}.txt", f"kept-5-{case}.txt"
    (tracked / kept).write_text("old\n", encoding="utf-8")
    first = await host.run(write(mine, "x\n"), text("Made."), directory=str(tracked))
    point = {"session_id": first["session_id"], "message_id": first["message_id"]}
    await host.data("opencode_revert", **point)
    second = await host.run(edit(kept, "old", "new"), text("Changed."), directory=str(tracked))
    for arguments in ({"session_id": first["session_id"], "restore": True}, point):
        refused = await host.error("opencode_revert", **arguments)
        assert f"{kept} ({second['session_id']}" in refused
        assert (tracked / kept).read_text(encoding="utf-8") == "new\n"
    assert not (tracked / mine).exists()


async def test_of_a_file_that_commands_of_two_sessions_may_have_changed_the_author_is_unknown(
    host: Host, scripted_model: ScriptedModel, tracked: Path, case: str
) -> None:
    mine, theirs = f"mine-6-{case}.txt", f"theirs-6-{case}.txt"
    runs = await in_parallel(
        host, scripted_model, f"shell {case}", [bash(f"touch {mine}")], [bash(f"touch {theirs}")], tracked
    )
    other = runs.second["session_id"]
    assert authors(runs.first)[theirs] == ("unknown", [other])
    output = await host.text("opencode_diff", session_id=runs.first["session_id"])
    assert "2 files changed by this session or others, " in output
    assert f'it is not known by whom: {mine} (this session or {other} "Theirs"), {theirs}' in output


async def test_a_run_that_only_reads_lists_no_file_that_changed_meanwhile(
    host: Host, scripted_model: ScriptedModel, tracked: Path, case: str
) -> None:
    look = tool("read", filePath="README.md")
    runs = await in_parallel(
        host, scripted_model, f"reads {case}", [look], [write(f"theirs-7-{case}.txt", "y\n")], tracked
    )
    assert runs.first["status"] == "completed"
    assert "files" not in runs.first
    output = await host.text("opencode_diff", session_id=runs.first["session_id"])
    assert output.endswith("This session changed no file.")


async def test_neither_a_person_nor_an_undo_is_taken_for_a_command_that_reads(
    host: Host, scripted_model: ScriptedModel, tracked: Path, case: str
) -> None:
    undone, persons, mine = f"undone-8-{case}.txt", f"persons-8-{case}.txt", f"mine-8-{case}.txt"
    earlier = await host.run(write(undone, "x\n"), text("Made."), directory=str(tracked), title="Earlier")
    steps = step(hold(f"person {case}"), bash("ls"), write(mine, "x\n"))
    first = await host.start(steps, text("Mine."), directory=str(tracked))
    await scripted_model.reached(f"person {case}")
    (tracked / persons).write_text("precious\n", encoding="utf-8")
    await host.data("opencode_revert", session_id=earlier["session_id"], message_id=earlier["message_id"])
    await scripted_model.release(f"person {case}")
    report = await host.wait(first)
    expected: dict[str, tuple[str, list[str]]] = {
        mine: ("this", []),
        persons: ("unknown", []),
        undone: ("other", [earlier["session_id"]]),
    }
    assert authors(report) == expected
    refused = await host.error("opencode_revert", session_id=report["session_id"], message_id=report["message_id"])
    assert f"not known by whom: {persons}" in refused
    assert (tracked / persons).read_text(encoding="utf-8") == "precious\n"


async def test_a_fork_is_no_author_of_what_it_copied(host: Host, tracked: Path, case: str) -> None:
    name = f"copied-{case}.txt"
    first = await host.run(write(name, "x\n"), text("Made."), directory=str(tracked))
    point = {"session_id": first["session_id"], "message_id": first["message_id"]}
    await host.data("opencode_fork", session_id=first["session_id"])
    assert authors(await host.data("opencode_wait", **point)) == {name: ("this", [])}
    await host.data("opencode_revert", **point)
    assert not (tracked / name).exists()


async def test_what_a_subagent_changed_is_of_the_run_that_started_it(host: Host, tracked: Path, case: str) -> None:
    name = f"delegated-{case}.txt"
    part = script(write(name, "x\n"), text("Part done."))
    report = await host.run(task(part), text("All done."), directory=str(tracked))
    assert authors(report) == {name: ("this", [])}


# Undone prompts, time and conversations


async def test_a_wait_for_a_prompt_that_was_undone_and_replaced_reports_it_as_undone(
    host: Host, tracked: Path, case: str
) -> None:
    first = await host.run(write(f"gone-{case}.txt", "x\n"), text("First."), directory=str(tracked))
    point = {"session_id": first["session_id"], "message_id": first["message_id"]}
    await host.data("opencode_revert", **point)
    second = await host.run(text("Second."), session_id=first["session_id"])
    undone = await host.data("opencode_wait", **point)
    assert (undone["status"], undone["text"]) == ("aborted", "")
    assert "was undone" in undone["note"]
    assert undone["message_id"] == first["message_id"]
    assert (await host.wait(first["session_id"]))["text"] == "Second."
    latest = await host.data("opencode_wait", session_id=first["session_id"], message_id=second["message_id"])
    assert latest["text"] == "Second."


async def test_the_time_of_a_run_counts_from_its_prompt_and_is_the_same_later(
    host: Host, scripted_model: ScriptedModel, case: str
) -> None:
    gate = f"times {case}"
    report = await host.run(question("Which colour?", "Red"), step(hold(gate), text("Thanks.")))
    await anyio.sleep(1.2)
    answer = {"request_id": report["pending"][0]["request_id"], "answers": [["Red"]]}
    async with meanwhile(lambda: host.data("opencode_reply_question", **answer)) as returned:
        await scripted_model.reached(gate)
        await scripted_model.release(gate)
    (ended,) = returned
    assert ended["seconds"] >= report["seconds"]
    await host.run(text("Next."), session_id=report["session_id"])
    later = await host.wait(report["session_id"], message_id=report["message_id"])
    assert (later["seconds"], later["waited"]) == (ended["seconds"], ended["waited"])


async def test_the_answer_to_a_permission_is_shown_at_its_call_and_counts_for_a_bridge_that_was_not_there(
    host: Host, asking: Path, reader: Host
) -> None:
    report = await host.run(bash("echo asked"), text("Done."), directory=str(asking))
    (request,) = report["pending"]
    session_id = report["session_id"]
    ended = await host.data("opencode_reply_permission", request_id=request["request_id"], reply="once")
    assert ended["status"] == "completed"
    later = await reader.wait(session_id)
    seen = await reader.data("opencode_session", session_id=session_id)
    for other in (later, seen["last_run"]):
        assert other["seconds"] == pytest.approx(ended["seconds"], abs=1)
        assert 0 < other["waited"] == pytest.approx(ended["waited"], abs=1)
    assert "\n- permission allowed once by the agent that calls this MCP server" in seen["transcript"]


async def test_the_report_of_an_abort_has_the_time_and_the_text_until_then(
    host: Host, scripted_model: ScriptedModel, case: str
) -> None:
    gate = f"aborted {case}"
    session = await host.start(step(text("Half of the answer"), hold(gate)))
    await scripted_model.reached(gate)

    async def look() -> bool:
        return bool((await host.wait(session, wait_seconds=0))["text"])

    assert await eventually(look)
    seen = await host.wait(session, wait_seconds=0)
    aborted = await host.data("opencode_abort", session_id=session)
    assert (aborted["status"], aborted["text"]) == ("aborted", "Half of the answer")
    assert aborted["seconds"] >= seen["seconds"]


async def test_a_conversation_shows_what_was_asked_and_answered(host: Host) -> None:
    report = await host.run(question("Which colour?", "Red", "Blue"), text("Thanks."))
    await host.data("opencode_reply_question", request_id=report["pending"][0]["request_id"], answers=[["Blue"]])
    output = await host.text("opencode_session", session_id=report["session_id"], show="conversation")
    assert 'Which colour?\n- "Red" (Choose Red)\n- "Blue" (Choose Blue)' in output
    assert re.search(r"- answer →.*Blue", output)


# Tools that are not listed


@pytest.fixture
async def reader(
    tmp_path: Path,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    workplace: Path,
    tracked: Path,
    asking: Path,
) -> AsyncGenerator[Host]:
    """A host whose bridge only reads."""
    launch = attaching(tmp_path, scripted_model, opencode_server, workplace).with_flags(
        "--read-only", "--directory", str(tracked), "--directory", str(asking)
    )
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
        output = await reader.text("opencode_wait", session_id=session, wait_seconds=0)
        assert not unlisted & set(TOOL_NAME.findall(output)), output
    await scripted_model.release(gate)
    await host.wait(held)
    assert "opencode_run" not in await reader.text("opencode_wait", session_id=held)
    await host.data("opencode_abort", session_id=asked["session_id"])
