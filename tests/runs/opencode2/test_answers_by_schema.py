"""Answers by a schema on OpenCode 2, which has no structured output: the schema goes along in the prompt."""

import pytest

from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.schema_corrections import NOT_CORRECTED
from opencode_mcp.runs.limits import Limits
from opencode_mcp.runs.output_schema.schema_in_prompt import INSTRUCTION, correction_id
from opencode_mcp.runs.prompting.prompt import Prompt
from opencode_mcp.runs.reports.reporter import CORRECTED, IN_PROMPT
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_note import Notes
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.starting.start_options import StartOptions
from tests.harness.servers.model import ScriptedModel
from tests.runs.worker import WAIT, Worker, session_of
from tests.scripted_model.script import Action, Step, bash, hold, script, step, structured, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
WRONG = structured({"answer": "many"})
RIGHT = structured({"answer": 42})


async def start(worker: Worker, *steps: Action | Step, later: Action | Step) -> Run:
    """Start a run with a schema; ``later`` is the answer to the prompt that asks for a correction."""
    words = script(*steps, later=[later])
    return await worker.runs.start(Prompt(text=words, directory=worker.directory, output_schema=SCHEMA))


async def prompts_in(client: OpenCodeClient, session_id: str) -> list[str]:
    messages = (await client.session_messages(session_id, limit=50)).items
    return [message.info.id for message in messages if message.info.role == "user"]


async def test_an_answer_that_fits_completes_the_run_and_the_report_says_how(
    worker: Worker, client: OpenCodeClient
) -> None:
    run = await start(worker, bash("echo measured"), text('```json\n{"answer": 42}\n```'), later=WRONG)
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.output, report.text, report.error) == ("completed", {"answer": 42}, "", "")
    assert report.note == IN_PROMPT
    assert await prompts_in(client, run.session_id) == [run.message_id]
    prompt = await client.session_message(run.session_id, run.message_id)
    assert INSTRUCTION in prompt.parts[0].model_dump()["text"]


async def test_a_wrong_answer_is_corrected_once_and_any_bridge_reports_the_run_the_same_way(
    worker: Worker, client: OpenCodeClient, hub: Hub, notes: Notes
) -> None:
    run = await start(worker, WRONG, later=RIGHT)
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.output, report.message_id) == ("completed", {"answer": 42}, run.message_id)
    assert report.note == f"{IN_PROMPT} {CORRECTED}"
    assert report.tokens.output == 40, "of both prompts"
    other = Runs(hub, notes)
    found = await other.find(await client.session_get(run.session_id))
    assert found.message_id == run.message_id
    assert await other.follow(found, 0) == report
    assert await prompts_in(client, run.session_id) == [run.message_id, correction_id(run.message_id)]


async def test_an_answer_that_stays_wrong_fails_the_run_and_shows_both(worker: Worker, client: OpenCodeClient) -> None:
    run = await start(worker, text("Many."), later=text("I said: many."))
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.text, report.output) == ("failed", "I said: many.", None)
    assert report.error.count("not JSON") == 2, "of both answers"
    assert report.error.endswith("It was: Many.")
    assert await worker.runs.follow(run, 0) == report
    assert len(await prompts_in(client, run.session_id)) == 2


async def test_a_run_that_has_used_up_its_limit_is_not_corrected_and_says_so(
    worker: Worker, client: OpenCodeClient
) -> None:
    prompt = Prompt(text=script(WRONG, later=[RIGHT]), directory=worker.directory, output_schema=SCHEMA)
    run = await worker.runs.start(prompt, options=StartOptions(limits=Limits(max_steps=1)))
    report = await worker.runs.follow(run, WAIT)
    assert (report.status, report.output) == ("failed", {"answer": "many"})
    assert report.error.endswith(NOT_CORRECTED)
    assert await prompts_in(client, run.session_id) == [run.message_id]


async def test_a_correction_that_takes_long_is_followed_by_any_bridge_and_stopped_with_the_run(
    worker: Worker, hub: Hub, notes: Notes, client: OpenCodeClient, scripted_model: ScriptedModel
) -> None:
    run = await start(worker, WRONG, later=step(hold("correcting"), RIGHT))
    await worker.runs.follow(run, WAIT, corrects=False)
    report = await worker.runs.follow(run, 0)
    assert (report.status, report.note, report.message_id) == ("running", CORRECTED, run.message_id)
    await scripted_model.reached("correcting")
    other = Runs(hub, notes)
    found = await other.find(await client.session_get(run.session_id))
    assert (await other.follow(found, 0)).status == "running"
    stopped, stop = await other.abort(found)
    assert (stopped.status, stop.was_running) == ("aborted", True)
    await scripted_model.release("correcting")


async def test_who_only_reads_or_stopped_the_run_has_nothing_corrected(worker: Worker, client: OpenCodeClient) -> None:
    run = await start(worker, WRONG, later=RIGHT)
    looked = await worker.runs.follow(run, WAIT, corrects=False)
    assert (looked.status, looked.output) == ("failed", {"answer": "many"})
    assert "'many' is not of type 'integer'" in looked.error
    stopped, _ = await worker.runs.abort(run)
    again = await worker.runs.follow(run, 0)
    # OpenCode may give the session its title in between.
    untitled = [report.model_copy(update={"title": ""}) for report in (looked, stopped, again)]
    assert untitled[0] == untitled[1] == untitled[2]
    assert await prompts_in(client, run.session_id) == [run.message_id]


async def test_two_bridges_that_see_a_wrong_answer_ask_once(
    worker: Worker, hub: Hub, notes: Notes, client: OpenCodeClient
) -> None:
    run = await start(worker, WRONG, later=RIGHT)
    await worker.runs.follow(run, WAIT, corrects=False)
    bridges = [Runs(hub, notes) for _ in range(2)]
    for bridge in bridges:
        await bridge.observe(run, Deadline.after(0))
    reports = [await bridge.follow(run, WAIT) for bridge in bridges]
    assert [report.output for report in reports] == [{"answer": 42}] * 2
    assert len(await prompts_in(client, run.session_id)) == 2


async def test_a_session_that_went_on_keeps_the_wrong_answer_and_later_prompts_work(
    worker: Worker, client: OpenCodeClient
) -> None:
    first = await start(worker, WRONG, later=RIGHT)
    await worker.runs.follow(first, WAIT, corrects=False)
    second = await worker.run(text("Plain again."), session=session_of(first))
    assert (second.status, second.text, second.note) == ("completed", "Plain again.", "")
    assert (await worker.runs.follow(first, WAIT)).status == "failed"
    assert await prompts_in(client, first.session_id) == [first.message_id, second.message_id]
