"""Runs as tasks, for clients of the 2026 era that declare the extension."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.waiting.tasks_extension import CLAUDE_TASK, MODEL_RESPONSE
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import Host, RawClient, open_raw
from tests.harness.differences import tool_name
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import Backend, backend
from tests.scripted_model.script import bash, failure, hold, question, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

EXTENSION = "io.modelcontextprotocol/tasks"
TASKS = Host(protocol="2026-07-28", name="claude-code", capabilities={"extensions": {EXTENSION: {}}})
ASKABLE = Host(protocol="2026-07-28", capabilities={"extensions": {EXTENSION: {}}, "elicitation": {}})
PLAIN = Host(protocol="2026-07-28")
Json = dict[str, Any]
SILENT = re.compile(r"waiting for the model, no output for (\d+) s")


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, asking_project: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, asking_project)


@pytest.fixture
async def opencode(opencode_server: OpenCode, asking_project: Path) -> AsyncGenerator[Backend]:
    async with backend(opencode_server, asking_project) as seen:
        yield seen


def held(name: str, **arguments: object) -> Json:
    """A run that is paused at a hold point."""
    prompt = script(step(text("Before. "), hold(name), text("After.")))
    return {"name": "opencode_run", "arguments": {"prompt": prompt, **arguments}}


async def task_of(host: RawClient, call: Json) -> Json:
    """Make a call that becomes a task."""
    offered = (await host.request("tools/call", call))["result"]
    assert offered["resultType"] == "task", offered
    return offered


async def get(host: RawClient, task_id: str) -> Json:
    return (await host.request("tasks/get", {"taskId": task_id}))["result"]


async def until(host: RawClient, task_id: str, status: str) -> Json:
    async def look() -> Json | None:
        task = await get(host, task_id)
        return task if task["status"] == status else None

    task = await eventually(look)
    assert task
    return task


@pytest.mark.parametrize("name", ["claude-code", "some-host"])
async def test_a_tasks_result_says_a_long_answer_once_unless_the_model_reads_the_data_alone(
    launch: Launch, scripted_model: ScriptedModel, name: str
) -> None:
    answer = " ".join(["Long."] * 100)
    call = {"name": "opencode_run", "arguments": {"prompt": script(step(hold("task-said"), text(answer)))}}
    async with open_raw(launch, replace(TASKS, name=name)) as host:
        task_id = (await task_of(host, call))["taskId"]
        await scripted_model.release("task-said")
        result = (await until(host, task_id, "completed"))["result"]
    assert answer in result["content"][0]["text"]
    assert result["structuredContent"].get("text") == (answer if name == "claude-code" else None)


@pytest.mark.usefixtures("without_latest_sessions")
async def test_a_batch_becomes_a_task_whose_result_is_its_table_and_which_can_be_cancelled(
    launch: Launch, scripted_model: ScriptedModel
) -> None:
    tasks = [{"prompt": script(step(hold("task-many"), text("After.")))}, {"prompt": script(text("Next."))}]
    call = {"name": "opencode_run_many", "arguments": {"tasks": tasks, "parallel": 1}}
    async with open_raw(launch, TASKS) as host:
        offered = await task_of(host, call)
        assert 'opencode_abort(session_id="bat_' in offered["_meta"][MODEL_RESPONSE]
        await scripted_model.reached("task-many")
        assert "1 queued" in (await get(host, offered["taskId"]))["statusMessage"]
        other = await task_of(host, call)
        await host.request("tasks/cancel", {"taskId": other["taskId"]})
        stopped = await until(host, other["taskId"], "completed")
        assert stopped["result"]["structuredContent"]["totals"]["aborted"] == 2
        await scripted_model.release("task-many")
        result = (await until(host, offered["taskId"], "completed"))["result"]
    assert result["structuredContent"]["totals"]["completed"] == 2


@pytest.mark.both_generations
async def test_a_long_run_becomes_a_task_that_reports_what_it_does_and_ends_with_the_result(
    launch: Launch, scripted_model: ScriptedModel, opencode: Backend
) -> None:
    async with open_raw(launch, TASKS) as host:
        offered = await task_of(host, held("task-1"))
        assert offered["status"] == "working"
        assert isinstance(offered["ttlMs"], int)
        assert isinstance(offered["pollIntervalMs"], int)
        session_id = await opencode.latest_session()
        for output in (offered["_meta"][MODEL_RESPONSE], offered["_meta"][CLAUDE_TASK]["modelImmediateResponse"]):
            assert f'opencode_abort(session_id="{session_id}")' in output
        working = await get(host, offered["taskId"])
        assert working["status"] == "working"

        async def writes() -> bool:
            return (await get(host, offered["taskId"]))["statusMessage"].startswith("writing, ")

        assert await eventually(writes)
        assert working["resultType"] == "complete"
        await scripted_model.release("task-1")
        ended = await until(host, offered["taskId"], "completed")
        assert await get(host, offered["taskId"]) == ended
    report = ended["result"]["structuredContent"]
    assert (report["status"], report["text"]) == ("completed", "Before. After.")
    assert ended["result"]["content"][0]["text"].startswith("completed")
    assert ended["createdAt"] == offered["createdAt"]
    assert await opencode.prompts(session_id) == 1


@pytest.mark.both_generations
async def test_the_status_message_says_what_the_run_is_doing(launch: Launch, scripted_model: ScriptedModel) -> None:
    call = {"name": "opencode_run", "arguments": {"prompt": script(bash("echo busy; sleep 5"), hold("task-2"))}}
    async with open_raw(launch.with_flags("--permissions", "allow"), TASKS) as host:
        offered = await task_of(host, call)

        async def look() -> bool:
            return "echo busy" in (await get(host, offered["taskId"])).get("statusMessage", "")

        assert await eventually(look)
        await scripted_model.release("task-2")
        await until(host, offered["taskId"], "completed")


@pytest.mark.both_generations
async def test_the_status_message_of_a_run_without_output_says_for_how_long(
    launch: Launch, scripted_model: ScriptedModel
) -> None:
    call = {"name": "opencode_run", "arguments": {"prompt": script(hold("task-16"))}}
    async with open_raw(launch, TASKS) as host:
        offered = await task_of(host, call)
        polled = await get(host, offered["taskId"])
        await scripted_model.release("task-16")
        await until(host, offered["taskId"], "completed")
    for task in (offered, polled):
        # The grace alone takes longer than a second.
        said = SILENT.fullmatch(task["statusMessage"])
        assert said
        assert int(said[1]) >= 1


async def test_the_status_message_names_what_a_run_that_cannot_reach_the_model_waits_for(
    launch: Launch, opencode: Backend
) -> None:
    steps = (step(failure(500, "The model is down", headers={"retry-after": "600"})),)
    call = {"name": "opencode_run", "arguments": {"prompt": script(*steps)}}
    async with open_raw(launch, TASKS) as host:
        task_id = (await task_of(host, call))["taskId"]

        async def look() -> bool:
            return "The model is down" in (await get(host, task_id)).get("statusMessage", "")

        assert await eventually(look)
        await host.request("tasks/cancel", {"taskId": task_id})
        await opencode.idle(await opencode.latest_session())


async def test_a_quick_call_stays_a_plain_result(launch: Launch) -> None:
    async with open_raw(launch, TASKS) as host:
        # The first call in a fresh directory may outlast the grace.
        await host.call("opencode_status")
        result = await host.call("opencode_list_sessions")
    assert result["resultType"] == "complete"


async def test_a_call_that_wants_no_waiting_gets_a_plain_running_report(
    launch: Launch, scripted_model: ScriptedModel
) -> None:
    async with open_raw(launch, TASKS) as host:
        call = held("task-3", wait_seconds=0)
        result = (await host.request("tools/call", call))["result"]
        await scripted_model.release("task-3")
    assert result["resultType"] == "complete"
    assert result["structuredContent"]["status"] == "running"


async def test_a_client_that_does_not_declare_the_extension_gets_no_task_and_may_not_ask_for_one(
    launch: Launch, scripted_model: ScriptedModel
) -> None:
    async with open_raw(launch, TASKS) as host:
        task_id = (await task_of(host, held("task-4")))["taskId"]
    async with open_raw(launch, PLAIN) as host:
        replies = [
            await host.request(method, {"taskId": task_id}) for method in ("tasks/get", "tasks/update", "tasks/cancel")
        ]
        call = held("task-5", wait_seconds=2)
        plain = (await host.request("tools/call", call))["result"]
        await scripted_model.release("task-4")
        await scripted_model.release("task-5")
    assert [reply["error"]["code"] for reply in replies] == [-32021] * 3
    assert EXTENSION in replies[0]["error"]["data"]["requiredCapabilities"]["extensions"]
    assert plain["structuredContent"]["status"] == "running"


async def test_the_older_era_knows_no_tasks(launch: Launch) -> None:
    async with open_raw(launch, Host(capabilities={"extensions": {EXTENSION: {}}})) as host:
        refused = await host.request("tasks/get", {"taskId": "x"})
    assert refused["error"]["code"] == -32601


async def test_an_unknown_and_a_forged_id_are_refused(launch: Launch, scripted_model: ScriptedModel) -> None:
    async with open_raw(launch, TASKS) as host:
        task_id = (await task_of(host, held("task-6")))["taskId"]
        forged = task_id[:-3] + ("AAA" if not task_id.endswith("AAA") else "BBB")
        replies = [
            await host.request(method, {"taskId": name})
            for name in ("nonsense", forged)
            for method in ("tasks/get", "tasks/update", "tasks/cancel")
        ]
        assert (await get(host, task_id))["status"] == "working"
        await scripted_model.release("task-6")
    assert [reply["error"]["code"] for reply in replies] == [-32602] * 6


async def test_the_state_of_a_retried_call_is_no_task_id(launch: Launch) -> None:
    async with open_raw(launch, ASKABLE) as host:
        call = {"name": "opencode_run", "arguments": {"prompt": script(bash("echo state"), text("Ran."))}}
        asked = (await host.request("tools/call", call))["result"]
        if asked["resultType"] == "task":
            pytest.fail("the permission came after the grace: the machine is too slow for this test")
        refused = await host.request("tasks/get", {"taskId": asked["requestState"]})
    assert refused["error"]["code"] == -32602


@pytest.mark.both_generations
async def test_a_task_asks_the_person_and_goes_on_with_the_answers(
    launch: Launch, scripted_model: ScriptedModel, opencode: Backend, opencode_generation: Generation
) -> None:
    asks = f"{tool_name('bash', opencode_generation)}: echo task"
    steps = (step(hold("task-7"), bash("echo task")), question("Sure?", "Yes", "No"), text("Ran."))
    call = {"name": "opencode_run", "arguments": {"prompt": script(*steps)}}
    async with open_raw(launch, ASKABLE) as host:
        task_id = (await task_of(host, call))["taskId"]
        session_id = await opencode.latest_session()
        await scripted_model.release("task-7")
        asked = await until(host, task_id, "input_required")
        (key,) = asked["inputRequests"]
        form = asked["inputRequests"][key]
        assert form["method"] == "elicitation/create"
        assert asks in form["params"]["message"]
        assert asked["statusMessage"] == f"waiting for a permission: {asks}"
        once = {"action": "accept", "content": {"decision": "once"}}
        await update(host, task_id, {key: once, "unknown": once})
        await update(host, task_id, {key: once})
        await opencode.asked(session_id, "question")
        again = await until(host, task_id, "input_required")
        (second,) = again["inputRequests"]
        assert second != key
        await update(host, task_id, {second: {"action": "accept", "content": {"answer_1": "Yes"}}})
        ended = await until(host, task_id, "completed")
    assert ended["result"]["structuredContent"]["text"] == "Ran."
    assert await opencode.prompts(session_id) == 1


async def update(host: RawClient, task_id: str, responses: Json) -> None:
    reply = await host.request("tasks/update", {"taskId": task_id, "inputResponses": responses})
    assert reply["result"]["resultType"] == "complete"


@pytest.mark.both_generations
async def test_a_declined_form_ends_the_task_with_what_is_still_open(
    launch: Launch, scripted_model: ScriptedModel, opencode: Backend
) -> None:
    call = {"name": "opencode_run", "arguments": {"prompt": script(step(hold("task-8"), bash("echo batch")))}}
    async with open_raw(launch, ASKABLE) as host:
        task_id = (await task_of(host, call))["taskId"]
        await scripted_model.release("task-8")
        (key,) = (await until(host, task_id, "input_required"))["inputRequests"]
        await update(host, task_id, {key: {"action": "decline"}})
        ended = await until(host, task_id, "completed")
        report = ended["result"]["structuredContent"]
        assert report["status"] == "needs_input"
        assert report["pending"][0]["request_id"] == key
        assert key in await opencode.open_ids()
        await host.call("opencode_abort", session_id=report["session_id"])
        assert await get(host, task_id) == ended


@pytest.mark.both_generations
async def test_without_a_person_the_task_ends_with_the_request_for_the_agent(
    launch: Launch, scripted_model: ScriptedModel
) -> None:
    prompt = script(step(hold("task-9"), bash("echo nobody")), text("Ran."))
    async with open_raw(launch, TASKS) as host:
        task_id = (await task_of(host, {"name": "opencode_run", "arguments": {"prompt": prompt}}))["taskId"]
        await scripted_model.release("task-9")
        report = (await until(host, task_id, "completed"))["result"]["structuredContent"]
        assert report["status"] == "needs_input"
        request_id = report["pending"][0]["request_id"]
        assert "opencode_reply_permission" in report["next"]
        answer = await host.call("opencode_reply_permission", request_id=request_id, reply="once")
    assert answer["structuredContent"]["text"] == "Ran."


@pytest.mark.both_generations
async def test_what_policy_decided_is_in_a_tasks_result(
    launch: Launch, scripted_model: ScriptedModel, opencode_generation: Generation
) -> None:
    prompt = script(step(hold("task-10"), bash("echo policy")), text("Ran."))
    async with open_raw(launch.with_flags("--permissions", "allow"), ASKABLE) as host:
        task_id = (await task_of(host, {"name": "opencode_run", "arguments": {"prompt": prompt}}))["taskId"]
        await scripted_model.release("task-10")
        report = (await until(host, task_id, "completed"))["result"]["structuredContent"]
    permission = tool_name("bash", opencode_generation)
    assert report["decided"] == [{"permission": permission, "patterns": ["echo policy"], "reply": "once"}]


@pytest.mark.both_generations
async def test_a_cancelled_task_aborts_its_run(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch, TASKS) as host:
        task_id = (await task_of(host, held("task-11")))["taskId"]
        session_id = await opencode.latest_session()
        reply = await host.request("tasks/cancel", {"taskId": task_id})
        assert reply["result"] == {"resultType": "complete"} | {"_meta": reply["result"].get("_meta")}
        await until(host, task_id, "cancelled")
        await opencode.idle(session_id)
        assert "result" in await host.request("tasks/cancel", {"taskId": task_id})


@pytest.mark.both_generations
async def test_cancelling_a_task_that_has_ended_leaves_the_sessions_next_run_alone(
    launch: Launch, scripted_model: ScriptedModel, opencode: Backend
) -> None:
    async with open_raw(launch, TASKS) as host:
        first = (await task_of(host, held("task-12")))["taskId"]
        session_id = await opencode.latest_session()
        await scripted_model.release("task-12")
        await opencode.idle(session_id)
        call = held("task-13", session_id=session_id)
        second = (await task_of(host, call))["taskId"]
        await host.request("tasks/cancel", {"taskId": first})
        assert (await get(host, second))["status"] == "working"
        old = await get(host, first)
        assert (old["status"], old["result"]["structuredContent"]["text"]) == ("completed", "Before. After.")
        await scripted_model.release("task-13")
        await until(host, second, "completed")


@pytest.mark.both_generations
async def test_a_task_outlives_the_bridge_that_offered_it(
    launch: Launch, scripted_model: ScriptedModel, opencode: Backend
) -> None:
    async with open_raw(launch.as_installed(), TASKS) as host:
        task_id = (await task_of(host, held("task-14")))["taskId"]
        session_id = await opencode.latest_session()
        host.kill()
    async with open_raw(launch, TASKS) as host:
        assert (await get(host, task_id))["status"] == "working"
        await scripted_model.release("task-14")
        ended = await until(host, task_id, "completed")
    assert ended["result"]["structuredContent"]["text"] == "Before. After."
    assert await opencode.prompts(session_id) == 1


@pytest.mark.both_generations
async def test_waiting_for_a_run_becomes_a_task_too(launch: Launch, scripted_model: ScriptedModel) -> None:
    async with open_raw(launch, TASKS) as host:
        call = held("task-15", wait_seconds=0)
        started = (await host.request("tools/call", call))["result"]["structuredContent"]
        wait = {"name": "opencode_wait", "arguments": {"session_id": started["session_id"]}}
        task_id = (await task_of(host, wait))["taskId"]
        await scripted_model.release("task-15")
        ended = await until(host, task_id, "completed")
    assert ended["result"]["structuredContent"]["message_id"] == started["message_id"]
