"""Attacks on the rule that a person decides: every way by which an answer could reach OpenCode past it."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import Host, RawClient, open_raw
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import Asked, Backend, backend
from tests.integration.person import DECLINED, Person, filled
from tests.scripted_model.script import bash, hold, question, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

Json = dict[str, Any]
EXTENSION = "io.modelcontextprotocol/tasks"
TASKS = Host(protocol="2026-07-28", capabilities={"extensions": {EXTENSION: {}}})
ASKABLE = Host(protocol="2026-07-28", capabilities={"extensions": {EXTENSION: {}}, "elicitation": {}})
FORMS = Host(protocol="2026-07-28", capabilities={"elicitation": {}})
EXECUTE = ("--allow", "execute,admin")
ONLY_A_PERSON = "Only a person may answer"


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, asking_project: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, asking_project)


@pytest.fixture
async def opencode(opencode_server: OpenCode, asking_project: Path) -> AsyncGenerator[Backend]:
    seen = backend(opencode_server, asking_project)
    async with seen.http:
        yield seen


async def called(host: Bridge, operation: str, **arguments: object) -> str:
    """Return the error of an operation that must be refused."""
    result = await host.call("opencode_call_operation", operation=operation, arguments=arguments)
    assert result.is_error, text_of(result)
    return text_of(result)


async def refused(host: Bridge, tool: str, **arguments: object) -> str:
    """Return the error of a tool call that must be refused."""
    result = await host.call(tool, **arguments)
    assert result.is_error, text_of(result)
    return text_of(result)


async def asking(host: Bridge, *steps: Any, **arguments: object) -> Json:  # noqa: ANN401 - steps of a script
    """A run that waits for an answer, and has asked nobody yet."""
    run = data_of(await host.call("opencode_run", prompt=script(*steps, text("Ran.")), wait_seconds=0, **arguments))

    async def look() -> Json | None:
        report = data_of(await host.call("opencode_wait", session_id=run["session_id"], wait_seconds=0))
        return report if report["status"] == "needs_input" else None

    return await eventually(look)  # type: ignore[return-value]


async def started_elsewhere(opencode: Backend, *steps: Any) -> Asked:  # noqa: ANN401 - steps of a script
    """A request of a run that no bridge started, as a TUI would start it."""
    session = await opencode.create_session()
    await opencode.prompt(session, script(*steps, text("Ran.")))
    return await opencode.asked(session, "question" if steps[0].name == "question" else "permission")


# The request says whose it is, not the caller


async def test_naming_another_session_answers_nothing(launch: Launch, opencode: Backend, asking_project: Path) -> None:
    async with open_bridge(launch.with_flags(*EXECUTE), elicit=Person()) as host:
        report = await asking(host, bash("touch other-session.txt"))
        request = report["pending"][0]["request_id"]
        own = data_of(await host.call("opencode_call_operation", operation="session.create", arguments={}))["reply"]
        for session in ("", report["session_id"]):
            answer = {"request_id": request, "session_id": session, "reply": "once"}
            assert ONLY_A_PERSON in await refused(host, "opencode_reply_permission", **answer)
        answer = {"request_id": request, "session_id": own["id"], "reply": "once"}
        assert "is not of the session" in await refused(host, "opencode_reply_permission", **answer)
        # The same by every operation that answers.
        assert ONLY_A_PERSON in await called(host, "permission.reply", requestID=request, reply="once")
        for session in (own["id"], report["session_id"]):
            arguments = {"sessionID": session, "permissionID": request, "response": "once"}
            reply = await called(host, "permission.respond", **arguments)
            assert "is not of the session" in reply or ONLY_A_PERSON in reply
        assert request in await opencode.open_ids()
        ended = data_of(await host.call("opencode_reply_permission", request_id=request, reply="reject"))
    assert ended["status"] == "completed"
    assert not (asking_project / "other-session.txt").exists()


async def test_a_question_is_not_answered_through_another_session(launch: Launch, opencode: Backend) -> None:
    async with open_bridge(launch.with_flags(*EXECUTE)) as host:
        report = await asking(host, question("Which?", "Red"))
        request = report["pending"][0]["request_id"]
        own = data_of(await host.call("opencode_call_operation", operation="session.create", arguments={}))["reply"]
        answer = {"request_id": request, "session_id": own["id"], "answers": [["Red"]]}
        assert "is not of the session" in await refused(host, "opencode_reply_question", **answer)
        error = await refused(host, "opencode_reply_permission", request_id=request, reply="always")
        assert "is the id of a question" in error
        assert request in await opencode.open_ids("question")
        answer = {"request_id": request, "session_id": report["session_id"], "answers": [["Red"]]}
        assert data_of(await host.call("opencode_reply_question", **answer))["text"] == "Ran."


async def test_requests_of_the_second_generation_are_held_to_the_same_rules(launch: Launch) -> None:
    async with open_bridge(launch.with_flags(*EXECUTE), elicit=Person()) as host:
        own = data_of(await host.call("opencode_call_operation", operation="session.create", arguments={}))["reply"]
        asked = {"sessionID": own["id"], "action": "bash", "resources": ["rm -rf x"], "save": ["rm *"]}
        made = await host.call("opencode_call_operation", operation="v2.session.permission.create", arguments=asked)
        name = {"sessionID": own["id"], "requestID": data_of(made)["reply"]["data"]["id"]}
        for reply in ("once", "always"):
            assert ONLY_A_PERSON in await called(host, "v2.session.permission.reply", **name, reply=reply)
        reject = {**name, "reply": "reject"}
        done = await host.call("opencode_call_operation", operation="v2.session.permission.reply", arguments=reject)
        assert not done.is_error, text_of(done)


@pytest.mark.both_generations
async def test_a_task_takes_answers_from_a_client_that_can_ask_a_person_alone(
    launch: Launch, opencode: Backend, scripted_model: ScriptedModel
) -> None:
    call = {"name": "opencode_run", "arguments": {"prompt": script(step(hold("who-1"), bash("touch task.txt")))}}
    async with open_raw(launch, ASKABLE) as host:
        task = (await host.request("tools/call", call))["result"]
        await scripted_model.release("who-1")
        (key,) = (await until(host, task["taskId"], "input_required"))["inputRequests"]
    answer = {"taskId": task["taskId"], "inputResponses": {key: {"action": "accept", "content": {"decision": "once"}}}}
    async with open_raw(launch, TASKS) as host:
        await host.request("tasks/update", answer)
        assert key in await opencode.open_ids()
        report = (await host.request("tasks/get", {"taskId": task["taskId"]}))["result"]["result"]["structuredContent"]
        assert report["pending"][0]["agent_may_answer"] is False
        assert ONLY_A_PERSON in report["note"]
        await host.call("opencode_abort", session_id=report["session_id"])


async def until(host: RawClient, task_id: str, status: str) -> Json:
    async def look() -> Json | None:
        task = (await host.request("tasks/get", {"taskId": task_id}))["result"]
        return task if task["status"] == status else None

    return await eventually(look)  # type: ignore[return-value]


# What "always" would add


async def test_always_reaches_no_further_than_the_rule_that_lets_an_agent_answer(
    launch: Launch, tmp_path: Path, opencode: Backend
) -> None:
    rules = tmp_path / "config.toml"
    rules.write_text('permissions = "human"\n[permission_rules.bash]\n"echo safe*" = "agent"\n', encoding="utf-8")
    bridge = launch.within(OPENCODE_MCP_CONFIG=str(rules)).with_flags(*EXECUTE)
    async with open_bridge(bridge, elicit=Person()) as host:
        report = await asking(host, bash("echo safe thing"))
        request = report["pending"][0]
        assert request.get("agent_may_answer", True)
        assert request["always"] == ["echo *"]
        name = {"request_id": request["request_id"]}
        assert '"always" would also allow echo *' in await refused(
            host, "opencode_reply_permission", **name, reply="always"
        )
        reply = await called(host, "permission.reply", requestID=request["request_id"], reply="always")
        assert '"always" would also allow echo *' in reply
        assert request["request_id"] in await opencode.open_ids()
        assert data_of(await host.call("opencode_reply_permission", **name, reply="once"))["text"] == "Ran."


async def test_an_agent_whose_host_cannot_ask_does_not_decide_for_the_sessions_of_others(
    launch: Launch, asking_project: Path
) -> None:
    # What "always" allows holds in every session of the project: nobody would be asked in those any more.
    async with open_bridge(launch.with_flags(*EXECUTE)) as host:
        report = await asking(host, bash("mkdir own"))
        request = report["pending"][0]
        name = {"request_id": request["request_id"]}
        assert 'reply="once"|"reject")' in report["next"]
        error = await refused(host, "opencode_reply_permission", **name, reply="always")
        assert '"always" would also allow mkdir *' in error
        error = await called(host, "permission.reply", requestID=request["request_id"], reply="always")
        assert '"always" would also allow mkdir *' in error
        assert data_of(await host.call("opencode_reply_permission", **name, reply="once"))["text"] == "Ran."
    person = Person(DECLINED)
    async with open_bridge(launch, elicit=person) as host:
        run = data_of(await host.call("opencode_run", prompt=script(bash("mkdir others"), text("Ran."))))
        assert run["status"] == "needs_input"
        assert len(person.forms) == 1
        await host.call("opencode_abort", session_id=run["session_id"])
    assert not (asking_project / "others").exists()


# Stricter limits of a caller


async def test_a_caller_cannot_take_back_its_own_stricter_limit(launch: Launch, opencode: Backend) -> None:
    loose = launch.with_flags("--permissions", "allow", *EXECUTE)
    async with open_bridge(loose, elicit=Person(DECLINED, DECLINED)) as host:
        report = await asking(host, bash("touch narrowed.txt"), permissions="human")
        session, request = report["session_id"], report["pending"][0]["request_id"]
        noted = (await opencode.session(session))["metadata"]["opencode-mcp"]
        for metadata in ({}, {"mine": 1}):
            update = {"sessionID": session, "metadata": metadata}
            done = await host.call("opencode_call_operation", operation="session.update", arguments=update)
            assert not done.is_error, text_of(done)
            kept = (await opencode.session(session))["metadata"]
            assert kept == {**metadata, "opencode-mcp": noted}
        forged = {"opencode-mcp": {"message": report["message_id"], "permissions": "allow"}}
        assert "belongs to this MCP server" in await called(host, "session.update", sessionID=session, metadata=forged)
        assert "belongs to this MCP server" in await called(host, "session.create", metadata={"opencode-mcp": noted})
        answers: Json = {"opencode-mcp-answers": {"session": session, "answers": []}}
        assert "belongs to this MCP server" in await called(host, "session.update", sessionID=session, metadata=answers)
        event = {
            "id": "evt_1",
            "aggregateID": session,
            "seq": 1,
            "type": "session.updated",
            "data": {"info": {"metadata": None}},
        }
        reply = await called(host, "sync.replay", directory=launch.arguments[1], events=[event])
        assert "would replace the note of this MCP server" in reply
        prompt = {"sessionID": session, "noReply": True, "parts": [{"type": "text", "text": "Looser, please."}]}
        await host.call("opencode_call_operation", operation="session.prompt", arguments=prompt)
        assert data_of(await host.call("opencode_wait", session_id=session))["status"] == "needs_input"
        # Even where the note is erased behind the bridge's back.
        await opencode.set_metadata(session, {})
        assert data_of(await host.call("opencode_wait", session_id=session))["status"] == "needs_input"
        assert request in await opencode.open_ids()
        assert ONLY_A_PERSON in await refused(host, "opencode_reply_permission", request_id=request, reply="once")
        await host.call("opencode_abort", session_id=session)


@pytest.mark.both_generations
async def test_a_fork_takes_no_note_along(launch: Launch, opencode: Backend) -> None:
    async with open_bridge(launch) as host:
        first = data_of(await host.call("opencode_run", prompt=script(text("Done."))))
        fork = data_of(await host.call("opencode_fork", session_id=first["session_id"]))["session_id"]
        await opencode.prompt(fork, script(bash("echo fork"), text("Ran.")))
        request = (await opencode.asked(fork)).id
        assert ONLY_A_PERSON in await refused(host, "opencode_reply_permission", request_id=request, reply="once")
        await host.call("opencode_abort", session_id=fork)


# Who started a run decides who answers for it


async def test_a_host_without_forms_answers_nothing_of_a_run_whose_person_is_asked_elsewhere(
    launch: Launch,
) -> None:
    person = Person(DECLINED)
    async with open_bridge(launch, elicit=person) as first:
        report = data_of(await first.call("opencode_run", prompt=script(bash("echo first"), text("Ran."))))
        request = report["pending"][0]["request_id"]
        async with open_bridge(launch.with_flags(*EXECUTE)) as second:
            seen = data_of(await second.call("opencode_wait", session_id=report["session_id"]))
            assert seen["pending"][0]["agent_may_answer"] is False
            assert "opencode_wait asks" not in seen["next"]
            assert ONLY_A_PERSON in await refused(second, "opencode_reply_permission", request_id=request, reply="once")
            assert ONLY_A_PERSON in await called(second, "permission.reply", requestID=request, reply="once")
        # What the operator of another bridge says does not loosen it.
        async with open_bridge(launch.with_flags("--permissions", "agent")) as trusted:
            answer = {"request_id": request, "session_id": report["session_id"]}
            assert ONLY_A_PERSON in await refused(trusted, "opencode_reply_permission", **answer, reply="once")
            ended = data_of(await trusted.call("opencode_reply_permission", **answer, reply="reject", message="No."))
    assert ended["text"] == "Ran."


@pytest.mark.both_generations
async def test_an_agent_answers_for_the_run_of_another_bridge_where_both_operators_say_so(launch: Launch) -> None:
    trusted = launch.with_flags("--permissions", "agent")
    async with open_bridge(trusted, elicit=Person()) as first, open_bridge(trusted) as second:
        report = data_of(await first.call("opencode_run", prompt=script(bash("echo shared"), text("Ran."))))
        answer = {"request_id": report["pending"][0]["request_id"], "session_id": report["session_id"]}
        assert data_of(await second.call("opencode_reply_permission", **answer, reply="once"))["text"] == "Ran."
        session = {"session_id": report["session_id"]}
        report = data_of(await first.call("opencode_run", **session, prompt=script(bash("echo more"), text("Ran."))))
        answer["request_id"] = report["pending"][0]["request_id"]
        await second.call("opencode_reply_permission", **answer, reply="reject")
        # The bridge that did not refuse knows it from the session's record.
        ended = data_of(await first.call("opencode_wait", **session, message_id=report["message_id"]))
        assert [(one["permission"], one["by"]) for one in ended["decided"]] == [
            (report["pending"][0]["permission"], "agent")
        ]
        assert "was refused" in ended["shortfall"]


@pytest.mark.both_generations
@pytest.mark.parametrize(
    ("started_under", "others", "decided"), [("reject", "human", ["reject"]), ("human", "allow", [])]
)
async def test_a_policy_outlives_the_bridge_that_started_a_run_under_it(
    launch: Launch,
    scripted_model: ScriptedModel,
    asking_project: Path,
    started_under: str,
    others: str,
    decided: list[str],
) -> None:
    name = f"who-under-{started_under}"
    prompt = script(step(hold(name), bash(f"touch {name}.txt")), text("Without."))
    async with open_raw(launch.with_flags("--permissions", started_under).as_installed(), FORMS) as first:
        run = (await first.call("opencode_run", prompt=prompt, wait_seconds=0))["structuredContent"]
        await scripted_model.reached(name)
        first.process.kill()
    await scripted_model.release(name)
    async with open_bridge(launch.with_flags("--permissions", others)) as second:
        report = data_of(await second.call("opencode_wait", session_id=run["session_id"]))
        assert [item["reply"] for item in report.get("decided", [])] == decided
        for request in report.get("pending", []):
            answer = {"request_id": request["request_id"]}
            assert ONLY_A_PERSON in await refused(second, "opencode_reply_permission", **answer, reply="once")
            report = data_of(
                await second.call("opencode_reply_permission", **answer, reply="reject", message="Do without.")
            )
    assert (report["status"], report["text"]) == ("completed", "Without.")
    assert not (asking_project / f"{name}.txt").exists()


@pytest.mark.both_generations
async def test_a_question_to_another_bridges_person_is_not_the_agents(launch: Launch, opencode: Backend) -> None:
    async with open_bridge(launch, elicit=Person(DECLINED, filled(answer_1="Red"))) as first:
        asks = script(question("Which?", "Red"), text("Ran."))
        report = data_of(await first.call("opencode_run", prompt=asks))
        request = report["pending"][0]["request_id"]
        async with open_bridge(launch) as second:
            await second.call("opencode_wait", session_id=report["session_id"], wait_seconds=0)
            answer = {"request_id": request, "answers": [["Red"]]}
            assert ONLY_A_PERSON in await refused(second, "opencode_reply_question", **answer)
        assert request in await opencode.open_ids("question")
        ended = data_of(await first.call("opencode_wait", session_id=report["session_id"]))
    assert ended["text"] == "Ran."


@pytest.mark.both_generations
async def test_an_agent_answers_for_a_run_that_no_bridge_started_only_with_the_operators_permission(
    launch: Launch, opencode: Backend
) -> None:
    asked = await started_elsewhere(opencode, bash("echo tui"))
    name = {"request_id": asked.id, "session_id": asked.session_id}
    async with open_bridge(launch) as host:
        report = data_of(await host.call("opencode_wait", session_id=asked.session_id, wait_seconds=0))
        assert report["pending"][0]["agent_may_answer"] is False
        assert ONLY_A_PERSON in await refused(host, "opencode_reply_permission", **name, reply="once")
    asks = await started_elsewhere(opencode, question("Which?", "Red"))
    async with open_bridge(launch) as host:
        answer = {"request_id": asks.id, "session_id": asks.session_id, "answers": [["Red"]]}
        assert ONLY_A_PERSON in await refused(host, "opencode_reply_question", **answer)
    async with open_bridge(launch.with_flags("--permissions", "agent")) as host:
        assert data_of(await host.call("opencode_reply_permission", **name, reply="once"))["text"] == "Ran."
        assert data_of(await host.call("opencode_reply_question", **answer))["text"] == "Ran."


@pytest.mark.both_generations
async def test_after_a_restart_a_bridge_still_answers_for_its_own_runs(launch: Launch) -> None:
    async with open_bridge(launch) as host:
        report = await asking(host, bash("echo restart"))
    async with open_bridge(launch) as host:
        again = data_of(await host.call("opencode_wait", session_id=report["session_id"]))
        request = again["pending"][0]["request_id"]
        assert data_of(await host.call("opencode_reply_permission", request_id=request, reply="once"))["text"] == "Ran."


@pytest.mark.both_generations
async def test_a_session_that_goes_on_is_noted_for_each_prompt(launch: Launch) -> None:
    async with open_bridge(launch, elicit=Person(DECLINED)) as host:
        session = data_of(await host.call("opencode_run", prompt=script(text("Done."))))["session_id"]
    async with open_bridge(launch) as host:
        report = await asking(host, bash("echo mine now"), session_id=session)
        request = report["pending"][0]["request_id"]
        assert data_of(await host.call("opencode_reply_permission", request_id=request, reply="once"))["text"] == "Ran."


# A read-only bridge


@pytest.mark.both_generations
async def test_a_read_only_bridge_answers_rejects_and_cancels_nothing(
    launch: Launch, opencode: Backend, scripted_model: ScriptedModel
) -> None:
    call = {"name": "opencode_run", "arguments": {"prompt": script(step(hold("who-2"), bash("echo observed")))}}
    async with open_raw(launch, ASKABLE) as host:
        task = (await host.request("tools/call", call))["result"]["taskId"]
        await scripted_model.release("who-2")
        (key,) = (await until(host, task, "input_required"))["inputRequests"]
    session = next(item.session_id for item in await opencode.requests() if item.id == key)
    for policy in ("allow", "reject", "human"):
        observer = launch.with_flags("--read-only", "--permissions", policy, "--abort-on-cancel")
        async with open_raw(observer, ASKABLE) as host:
            report = (await host.call("opencode_wait", session_id=session))["structuredContent"]
            assert report["status"] == "needs_input"
            assert "read-only" in report["next"]
            for content in ({"decision": "once"}, {"decision": "reject"}):
                answer = {"taskId": task, "inputResponses": {key: {"action": "accept", "content": content}}}
                assert "read-only" in (await host.request("tasks/update", answer))["error"]["message"]
            assert "read-only" in (await host.request("tasks/cancel", {"taskId": task}))["error"]["message"]
        assert key in await opencode.open_ids()
    async with open_raw(launch.with_flags("--read-only", "--abort-on-cancel"), Host()) as host:
        other = await opencode.create_session()
        await opencode.prompt(other, script(step(hold("who-3"), text("Went on."))))
        await scripted_model.reached("who-3")
        wait = await host.send("tools/call", {"name": "opencode_wait", "arguments": {"session_id": other}})
        await host.cancel(wait)
        await host.call("opencode_status")
        await scripted_model.release("who-3")
        await opencode.idle(other)
    assert await opencode.said(other) == "Went on."
    await opencode.abort(session)


# What the operator denies


async def test_a_denied_answer_is_given_neither_by_policy_nor_by_a_form_nor_by_another_operation(
    launch: Launch, opencode: Backend
) -> None:
    asked = await started_elsewhere(opencode, bash("echo denied"))
    reply = "permission.reply"
    for denial, policy in ((reply, "allow"), (reply, "reject"), (reply, "human"), ("execute", "allow")):
        person = Person()
        restricted = launch.with_flags("--deny", denial, "--permissions", policy, "--allow", "permission.respond")
        async with open_bridge(restricted, elicit=person) as host:
            report = data_of(await host.call("opencode_wait", session_id=asked.session_id))
            assert report["status"] == "needs_input"
            assert "this MCP server denies permission.reply" in report["next"]
            answer = {"sessionID": asked.session_id, "permissionID": asked.id, "response": "reject"}
            assert "this MCP server denies" in await called(host, "permission.respond", **answer)
        assert not person.forms
    assert asked.id in await opencode.open_ids()
    await opencode.abort(asked.session_id)


async def test_where_reports_of_runs_are_denied_there_are_no_tasks(
    launch: Launch, scripted_model: ScriptedModel
) -> None:
    call = {"name": "opencode_run", "arguments": {"prompt": script(step(hold("who-6"), text("Told.")))}}
    async with open_raw(launch, TASKS) as host:
        task = (await host.request("tools/call", call))["result"]["taskId"]
    await scripted_model.release("who-6")
    for denial in ("session.messages", "session.status", "read"):
        async with open_raw(launch.with_flags("--deny", denial), TASKS) as host:
            for method in ("get", "update", "cancel"):
                for name in (task, "nonsense"):
                    output = (await host.request(f"tasks/{method}", {"taskId": name}))["error"]["message"]
                    assert "serves no tasks" in output
    # A call that would become one stays a call.
    plain = {"name": "opencode_run", "arguments": {"prompt": script(step(hold("who-7"), text("Kept.")))}}
    async with open_raw(launch.with_flags("--deny", "session.status"), TASKS) as host:
        number = await host.send("tools/call", plain)
        await scripted_model.reached("who-7")
        await scripted_model.release("who-7")
        assert (await host.reply(number))["result"]["structuredContent"]["text"] == "Kept."


# Tasks and the fence


async def test_a_task_of_another_directory_looks_like_one_that_does_not_exist(
    launch: Launch, tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, opencode: Backend
) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = attaching(tmp_path, scripted_model, opencode_server, make_project(tmp_path / "elsewhere"))
    call = {"name": "opencode_run", "arguments": {"prompt": script(step(hold("who-4"), bash("echo fenced")))}}
    plain = {"name": "opencode_run", "arguments": {"prompt": script(bash("echo resumed"), text("Ran."))}}
    async with open_raw(launch, ASKABLE) as host:
        task = (await host.request("tools/call", call))["result"]["taskId"]
        await scripted_model.release("who-4")
        (key,) = (await until(host, task, "input_required"))["inputRequests"]
    async with open_raw(launch, FORMS) as host:
        asked = (await host.request("tools/call", plain))["result"]
    once = {"action": "accept", "content": {"decision": "once"}}
    async with open_raw(elsewhere, ASKABLE) as host:
        for method, more in (("get", {}), ("update", {"inputResponses": {key: once}}), ("cancel", {})):
            errors = [
                (await host.request(f"tasks/{method}", {"taskId": name, **more}))["error"]
                for name in (task, "nonsense")
            ]
            assert errors[0] == {**errors[1], "message": errors[1]["message"].replace("nonsense", task)}
    async with open_raw(elsewhere, FORMS) as host:
        retry = {"requestState": asked["requestState"], "inputResponses": dict.fromkeys(asked["inputRequests"], once)}
        resumed = (await host.request("tools/call", plain | retry))["result"]
        assert resumed["isError"]
        assert "outside of what is allowed" in resumed["content"][0]["text"]
    still_open = await opencode.open_ids()
    assert {key, *asked["inputRequests"]} <= set(still_open)
    for request in await opencode.requests():
        await opencode.abort(request.session_id)
