"""The main job over stdio: hand over a prompt, wait, and get what it came to."""

import base64
from pathlib import Path

import pytest

from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import backend
from tests.integration.host import Host, changes
from tests.scripted_model.script import (
    bash,
    edit,
    hold,
    script,
    step,
    structured,
    task,
    text,
    todos,
    tool,
    usage,
    words,
    write,
)

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}


@pytest.mark.both_eras
async def test_a_prompt_is_answered(host: Host) -> None:
    report = await host.run(text("All is well."))
    assert (report["status"], report["text"], report["pending"]) == ("completed", "All is well.", [])
    assert report["session_id"] in report["next"]
    assert report["message_id"].startswith("msg_")


async def test_the_text_for_a_model_holds_the_answer_and_what_can_be_done_next(host: Host) -> None:
    output = await host.text("opencode_run", prompt=script(text("All is well.")))
    assert output.startswith("completed · session ses_")
    assert "OpenCode's answer:\n```\nAll is well.\n```" in output
    assert "Next: Go on with opencode_run(" in output


async def test_changed_files_are_reported_with_their_lines(host: Host, tracked: Path, case: str) -> None:
    name, other = f"changed-{case}.txt", f"made-{case}.txt"
    steps = write(name, "one\ntwo\n"), edit(name, "two", "zwei\ndrei"), bash(f"echo x > {other}")
    report = await host.run(*steps, directory=str(tracked))
    assert changes(report) == {("added", name, 3, 0), ("added", other, 1, 0)}
    assert (tracked / name).read_text(encoding="utf-8") == "one\nzwei\ndrei\n"


async def test_todos_are_reported(host: Host) -> None:
    report = await host.run(todos(("Plan", "completed"), ("Build", "in_progress")), text("Planned."))
    assert report["todos"] == ["[x] Plan", "[>] Build"]


async def test_tokens_cost_model_and_agent_are_reported(host: Host) -> None:
    report = await host.run(
        step(bash("true"), usage(input=1000, output=100)),
        step(text("Planned."), usage(input=2000, output=200)),
        title="A sample",
    )
    assert (report["tokens"]["input"], report["tokens"]["output"]) == (3000, 300)
    assert report["cost"] == pytest.approx(0.0036)
    assert (report["model"], report["agent"], report["title"]) == ("scripted/m1", "build", "A sample")
    assert report["seconds"] > 0


async def test_subagents_are_named_and_their_sessions_can_be_waited_for(host: Host) -> None:
    report = await host.run(task(script(text("By the child."))), text("All parts are done."))
    assert report["text"] == "All parts are done."
    (child,) = report["children"]
    assert (await host.wait(child))["text"] == "By the child."


async def test_a_session_goes_on_with_the_next_prompt(host: Host) -> None:
    first = await host.run(text("First."))
    second = await host.run(text("Second."), session_id=first["session_id"])
    assert second["session_id"] == first["session_id"]
    assert second["message_id"] > first["message_id"]
    assert (await host.wait(first["session_id"]))["text"] == "Second."
    earlier = await host.wait(first["session_id"], message_id=first["message_id"])
    assert earlier["text"] == "First."


async def test_agent_model_and_variant_are_the_callers_choice(host: Host, scripted_model: ScriptedModel) -> None:
    report = await host.run(text("Fine."), agent="plan", model="scripted/m2", variant="high")
    assert (report["agent"], report["model"]) == ("plan", "scripted/m2")
    asked = [one for one in await scripted_model.requests(report["session_id"]) if one["kind"] == "chat"]
    assert [(one["model"], one["effort"]) for one in asked] == [("m2", "high")]


async def test_files_are_attached(host: Host, scripted_model: ScriptedModel) -> None:
    report = await host.run(text("Seen."), files=["docs/notes.txt", "src"])
    asked = [one for one in await scripted_model.requests(report["session_id"]) if one["kind"] == "chat"]
    assert "three" in asked[0]["prompt"]
    assert "greet.py" in asked[0]["prompt"]


async def test_an_image_goes_out_by_its_content_and_what_cannot_be_attached_is_refused_by_name(
    host: Host, workplace: Path, opencode_server: OpenCode
) -> None:
    (workplace / "named.jpg").write_bytes(PNG)
    report = await host.run(text("Seen."), files=["named.jpg"])
    assert report["status"] == "completed"
    opencode = backend(opencode_server, workplace)
    async with opencode.http:
        assert await opencode.attachments(report["session_id"]) == [("image/png", "named.jpg")]
    for name, data, said in (
        ("cut.png", PNG[:30], "it is incomplete"),
        ("a.bmp", b"BM" + bytes(60), "a BMP image"),
        ("a.docx", b"PK\x03\x04" + bytes(60), "a zip archive"),
    ):
        (workplace / name).write_bytes(data)
        error = await host.error("opencode_run", prompt="x", files=[name])
        assert name in error
        assert said in error


async def test_a_directory_is_the_callers_choice(host: Host, asking: Path) -> None:
    report = await host.run(write("here.txt", "x\n"), text("Here."), directory=str(asking))
    assert report["directory"] == str(asking)
    assert (asking / "here.txt").exists()


@pytest.mark.both_eras
async def test_a_structured_answer_arrives_as_data_and_as_text(host: Host) -> None:
    arguments = {"prompt": script(structured({"answer": 42})), "output_schema": SCHEMA}
    assert (await host.data("opencode_run", **arguments))["output"] == {"answer": 42}
    assert '"answer": 42' in await host.text("opencode_run", **arguments)


async def test_a_structured_answer_that_does_not_fit_fails_and_shows_both(host: Host) -> None:
    report = await host.run(structured({"answer": "many"}), output_schema=SCHEMA)
    assert report["status"] == "failed"
    assert report["output"] == {"answer": "many"}
    assert "'many' is not of type 'integer'" in report["error"]
    assert (await host.wait(report["session_id"]))["error"] == report["error"]


async def test_an_answer_that_cannot_be_checked_is_reported_with_the_ids_of_its_run(host: Host) -> None:
    loop = {"type": "object", "properties": {"answer": {"$ref": "#/properties/answer"}}}
    report = await host.run(structured({"answer": "many"}), output_schema=loop)
    assert report["status"] == "failed"
    assert "output_schema refers to itself without end" in report["error"]
    assert report["output"] == {"answer": "many"}
    assert (await host.wait(report["session_id"]))["message_id"] == report["message_id"]


async def test_a_schema_that_is_none_is_refused_before_anything_runs(host: Host) -> None:
    error = await host.error("opencode_run", prompt="x", output_schema={"type": "objekt"})
    assert "output_schema is not a JSON Schema" in error


async def answer_so_far_is(host: Host, session_id: str, words: str) -> None:
    """Wait until the bridge reports these words of a running answer."""

    async def are_reported() -> bool:
        report = await host.wait(session_id, wait_seconds=0.5)
        assert report["status"] == "running"
        return words in report["text"]

    await eventually(are_reported)


async def test_without_waiting_the_run_goes_on_and_is_waited_for_later(
    host: Host, scripted_model: ScriptedModel
) -> None:
    session = await host.start(step(hold("unwaited"), text("Later.")))
    await scripted_model.reached("unwaited")
    looked = await host.wait(session, wait_seconds=0)
    assert looked["status"] == "running"
    assert f'opencode_wait(session_id="{session}")' in looked["next"]
    await scripted_model.release("unwaited")
    assert (await host.wait(session))["text"] == "Later."


@pytest.mark.either_era
async def test_a_wait_that_is_over_reports_the_answer_so_far_and_the_next_one_gets_the_end(
    host: Host, scripted_model: ScriptedModel, era: str
) -> None:
    gate = f"over {era}"
    session = await host.start(step(text("Half of it, "), hold(gate), text("and the rest.")))
    await scripted_model.reached(gate)
    await answer_so_far_is(host, session, "Half of it,")
    await scripted_model.release(gate)
    assert (await host.wait(session))["text"] == "Half of it, and the rest."


@pytest.mark.either_era
async def test_a_second_prompt_is_refused_and_never_reaches_opencode(
    host: Host, scripted_model: ScriptedModel, opencode_server: OpenCode, workplace: Path, era: str
) -> None:
    gate = f"busy {era}"
    session = await host.start(step(hold(gate), text("First.")))
    await scripted_model.reached(gate)
    error = await host.error("opencode_run", prompt="And now this.", session_id=session)
    assert f"{session} is running another prompt: 'Do as the script says." in error
    for choice in ("opencode_wait", "opencode_abort", "new"):
        assert choice in error
    opencode = backend(opencode_server, workplace)
    async with opencode.http:
        assert await opencode.prompts(session) == 1
    await scripted_model.release(gate)
    assert (await host.wait(session))["text"] == "First."


@pytest.mark.either_era
async def test_an_aborted_run_keeps_what_it_did_and_a_second_abort_changes_nothing(
    host: Host, scripted_model: ScriptedModel, tracked: Path, case: str
) -> None:
    gate, name = f"abort {case}", f"kept-{case}.txt"
    steps = write(name, "x\n"), step(text("So far. "), hold(gate), text("Never said."))
    session = await host.start(*steps, directory=str(tracked))
    await scripted_model.reached(gate)
    await answer_so_far_is(host, session, "So far.")
    first = await host.data("opencode_abort", session_id=session)
    assert first["status"] == "aborted"
    assert changes(first) == {("added", name, 1, 0)}
    assert "So far." in first["text"]
    second = await host.data("opencode_abort", session_id=session)
    assert (second["status"], second["note"]) == ("aborted", "Nothing was running.")
    assert (await host.wait(session))["status"] == "aborted"
    assert (await host.run(text("Again."), session_id=session))["text"] == "Again."


async def test_aborting_another_prompt_than_the_latest_is_refused(host: Host) -> None:
    first = await host.run(text("First."))
    second = await host.run(text("Second."), session_id=first["session_id"])
    error = await host.error("opencode_abort", session_id=first["session_id"], message_id=first["message_id"])
    assert second["message_id"] in error


@pytest.mark.either_era
async def test_of_several_sessions_the_first_end_or_all_are_waited_for(
    host: Host, scripted_model: ScriptedModel, era: str
) -> None:
    gate = f"several {era}"
    slow = await host.start(step(hold(gate), text("Slow.")))
    fast = await host.start(text("Fast."))
    first = await host.data("opencode_wait", session_ids=[slow, fast], until="any")
    assert [run["status"] for run in first["runs"]] == ["running", "completed"]
    assert first["status"] == "running"
    assert slow in first["next"]
    other = await host.run(step(hold(gate), text("Other.")), wait_seconds=0)
    assert f'opencode_wait(session_ids=["{other["session_id"]}", "{slow}"], until="any")' in other["next"]
    await scripted_model.release(gate)
    both = await host.data("opencode_wait", session_ids=[slow, fast], until="all")
    assert [run["text"] for run in both["runs"]] == ["Slow.", "Fast."]
    assert both["status"] == "completed"


async def test_many_runs_at_once_all_end(host: Host, case: str) -> None:
    sessions = [await host.start(write(f"many-{case}/{n}.txt", "x\n"), text(f"Number {n}.")) for n in range(4)]
    report = await host.data("opencode_wait", session_ids=sessions, wait_seconds=60)
    assert [run["text"] for run in report["runs"]] == [f"Number {n}." for n in range(4)]


async def test_a_long_answer_is_cut_and_says_how_long_it_was(host: Host) -> None:
    report = await host.run(words(6000, chunk=1000))
    assert len(report["text"]) < 21_000
    assert "of 52" in report["text"]


async def test_a_tool_that_fails_is_no_end(host: Host) -> None:
    report = await host.run(tool("read", filePath="no/such/file.txt"), text("I go on."))
    assert (report["status"], report["text"]) == ("completed", "I go on.")
