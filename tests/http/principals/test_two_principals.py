"""Two principals of one bridge: whatever belongs to one is, for the other, as if it did not exist."""

import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult

from opencode_mcp.opencode.operation_catalog.catalog import table_of
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.operations.sealed_cursors import SEALED
from opencode_mcp.server.resources.resources import RESOURCES
from opencode_mcp.server.tools import TOOLS
from tests.harness.bridges.bridge import Bridge, connected, text_of
from tests.harness.bridges.launch import Launch
from tests.harness.bridges.raw_http import RawHttp
from tests.harness.bridges.rawrpc import Host as Client
from tests.harness.bridges.served import Served, serving
from tests.harness.processes.isolation import environment
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.http.operator import Operator
from tests.integration.host import Host
from tests.scripted_model.script import bash, hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]

Json = dict[str, Any]
TASKS = "io.modelcontextprotocol/tasks"
FORMS = Client("2026-07-28", capabilities={"elicitation": {}})
WITH_TASKS = Client("2026-07-28", capabilities={"extensions": {TASKS: {}}})
TITLE = "The first principal's work"
TASK_REQUESTS: tuple[tuple[str, Json], ...] = (
    ("tasks/get", {}),
    ("tasks/update", {"inputResponses": {}}),
    ("tasks/cancel", {}),
)
LATER_MILLISECONDS = 10**13
"""Time of a cursor after which all sessions come."""
WITHOUT_IDS = {"opencode_find_operations"}
"""Tools whose arguments name nothing that belongs to anybody."""


@dataclass(frozen=True, slots=True)
class Owned:
    """Ids of what belongs to the first principal."""

    session: str
    message: str
    request: str
    directory: str
    state: str
    """State of a call that waits for a form."""
    call: Json
    """Parameters of that call."""
    task: str
    batch: str = "bat_0000000000"
    """A batch that has ended."""
    isolated: str = "ses_nobodyhasthiseither0000000"
    """Session with an isolated worktree."""
    worktree: str = "/nobody/has/this"
    """Path of that worktree."""

    def others(self) -> "Owned":
        """Return ids of the same form that nobody has."""
        return Owned(
            "ses_nobodyhasthis0000000000000",
            "msg_nobodyhasthis0000000000000",
            "per_nobodyhasthis0000000000000",
            f"{self.directory}-nobody",
            "",
            {},
            "",
        )

    def ways(self) -> "list[Owned]":
        """Return the ids as calls may name them: also a session by its task of a batch, or in a worktree of its own."""
        isolated = replace(self, session=self.isolated, directory=self.worktree)
        return [self, isolated, replace(self, session=f"{self.batch}.1")]

    def masked(self, words: str) -> str:
        """Return a text without the ids that it repeats."""
        for name, value in (
            ("<directory>", self.directory),
            ("<session>", self.session),
            ("<message>", self.message),
            ("<request>", self.request),
            ("<batch>", self.batch),
        ):
            words = words.replace(value, name)
        return re.sub(r"\d+(\.\d+)? (ms|s)\b", "<time>", words)


@dataclass(frozen=True, slots=True)
class Two:
    """The two principals at one bridge."""

    served: Served
    tokens: tuple[str, str]
    owned: Owned


@pytest.fixture(scope="module")
async def two(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> AsyncIterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    operator = Operator(folder)
    operator.environment = environment(folder, scripted_model.url) | {
        "OPENCODE_MCP_CONFIG": str(operator.settings),
        "OPENCODE_MCP_URL": opencode_server.url,
        "OPENCODE_MCP_PASSWORD": opencode_server.password,
        "OPENCODE_MCP_STATE": str(folder / "bridge"),
    }
    operator.launch = Launch((), operator.environment, folder / "bridge.log").with_places()
    tokens = tuple(operator.principal(name, "--allow", "execute,admin") for name in ("first", "second"))
    for name in ("first", "second"):
        make_project(folder / name)
        configure(folder / name, {"permission": {"bash": "ask"}})
    key = folder / "key"
    key.write_text("k" * 64, encoding="utf-8")
    key.chmod(0o600)
    with serving(operator.launch, "--log-level", "INFO", "--key-file", str(key)) as served:
        yield Two(served, (tokens[0], tokens[1]), await owned(served, tokens[0], folder / "first", scripted_model))


async def owned(served: Served, token: str, directory: Path, model: ScriptedModel) -> Owned:
    """Let the first principal start a run that asks for a permission, and one that becomes a task."""
    call = {"name": "opencode_run", "arguments": {"prompt": script(bash("true"), text("Done.")), "title": TITLE}}
    asked = (await RawHttp(served.url, token, FORMS).request("tools/call", call))["result"]
    assert asked["resultType"] == "input_required", asked
    (request,) = asked["inputRequests"]
    slow = {"name": "opencode_run", "arguments": {"prompt": script(step(hold("two"), text("Later."))), "title": TITLE}}
    offered = (await RawHttp(served.url, token, WITH_TASKS).request("tools/call", slow))["result"]
    await model.reached("two")
    async with connected(served.url, served.launch, token=token) as bridge:
        rows = (await Host(bridge).data("opencode_list_sessions", running=True))["sessions"]
        sessions = [row["session_id"] for row in rows]
        batch = await Host(bridge).data("opencode_run_many", tasks=[{"prompt": script(text("Done."))}])
        reports = [await Host(bridge).wait(session, wait_seconds=0) for session in sessions]
        isolated = await Host(bridge).run(text("Done."), isolate=True)
    (report,) = [report for report in reports if report["pending"]]
    assert report["pending"][0]["request_id"] == request
    return Owned(
        report["session_id"],
        report["message_id"],
        request,
        str(directory),
        asked["requestState"],
        call,
        offered["taskId"],
        batch["batch_id"],
        isolated["session_id"],
        isolated["directory"],
    )


CALLS: Mapping[str, Callable[[Owned], list[Json]]] = {
    "opencode_run": lambda of: [
        {"prompt": "x", "session_id": of.session},
        {"prompt": "x", "directory": of.directory},
        {"prompt": "x", "files": [f"{of.directory}/README.md"]},
    ],
    "opencode_wait": lambda of: [
        {"session_id": of.session, "wait_seconds": 0},
        {"session_id": of.session, "message_id": of.message, "wait_seconds": 0},
        {"session_ids": [of.session, of.session + "x"], "wait_seconds": 0},
        {"session_id": of.batch, "wait_seconds": 0},
        {"session_ids": [f"{of.batch}.1"], "wait_seconds": 0},
    ],
    "opencode_run_many": lambda of: [
        {"tasks": [{"prompt": "x", "directory": of.directory}]},
        {"tasks": [{"prompt": "x"}], "common": {"files": [f"{of.directory}/README.md"]}},
    ],
    "opencode_reply_permission": lambda of: [
        {"request_id": of.request, "reply": "once"},
        {"request_id": of.request, "reply": "reject", "session_id": of.session},
    ],
    "opencode_reply_question": lambda of: [
        {"request_id": of.request, "answers": [["x"]]},
        {"request_id": of.request, "reject": True, "session_id": of.session},
    ],
    "opencode_abort": lambda of: [{"session_id": of.session}, {"session_id": of.batch}],
    "opencode_list_sessions": lambda of: [
        {"directory": of.directory},
        {"search": of.session, "directory": of.directory},
    ],
    "opencode_session": lambda of: [{"session_id": of.session}, {"session_id": of.session, "show": "everything"}],
    "opencode_cost": lambda of: [{"directory": of.directory}],
    "opencode_diff": lambda of: [
        {"session_id": of.session},
        {"session_id": of.session, "message_id": of.message},
        {"directory": of.directory},
        {"session_id": of.session, "compare_with": of.session + "x"},
    ],
    "opencode_revert": lambda of: [{"session_id": of.session}, {"session_id": of.session, "message_id": of.message}],
    "opencode_fork": lambda of: [{"session_id": of.session}],
    "opencode_update_session": lambda of: [{"session_id": of.session, "title": "x"}],
    "opencode_delete_session": lambda of: [{"session_id": of.session}],
    "opencode_integrate": lambda of: [
        {"session_id": of.session, "how": how} for how in ("apply", "commit", "merge", "branch", "discard", "undo")
    ],
    "opencode_command": lambda of: [
        {"command": "review", "session_id": of.session},
        {"command": "review", "directory": of.directory},
    ],
    "opencode_shell": lambda of: [
        {"command": "true", "session_id": of.session},
        {"command": "true", "directory": of.directory},
    ],
    "opencode_read_file": lambda of: [
        {"path": f"{of.directory}/README.md"},
        {"path": "README.md", "directory": of.directory},
        {"path": "../first/README.md"},
    ],
    "opencode_find_files": lambda of: [{"query": "README", "directory": of.directory}],
    "opencode_find_text": lambda of: [{"pattern": "a", "directory": of.directory}],
    "opencode_find_symbols": lambda of: [{"query": "a", "directory": of.directory}],
    "opencode_status": lambda of: [{"directory": of.directory}],
    "opencode_read_operation": lambda of: [
        {"operation": "session.get", "arguments": {"sessionID": of.session}},
        {"operation": "file.read", "arguments": {"path": f"{of.directory}/README.md"}},
        {"operation": "session.list", "arguments": {"directory": of.directory}},
    ],
    "opencode_call_operation": lambda of: [
        {"operation": "session.abort", "arguments": {"sessionID": of.session}},
        {"operation": "permission.reply", "arguments": {"requestID": of.request, "reply": "once"}},
        {"operation": "session.create", "arguments": {"directory": of.directory}},
    ],
}
"""Calls of each tool that name something of somebody else."""


def test_every_tool_has_calls_that_name_what_is_anothers() -> None:
    assert {*CALLS, *WITHOUT_IDS} == {tool.name for tool in TOOLS}


async def test_no_tool_reaches_what_is_anothers(two: Two) -> None:
    nobody = two.owned.others()
    asked: list[str] = []

    async def elicit(context: object, params: object) -> ElicitResult:
        del context
        asked.append(str(params))
        return ElicitResult(action="cancel")

    different: list[str] = []
    async with connected(two.served.url, two.served.launch, token=two.tokens[1], elicit=elicit) as bridge:
        for of, others in zip(two.owned.ways(), nobody.ways(), strict=True):
            for tool, calls in CALLS.items():
                for own, other in zip(calls(of), calls(others), strict=True):
                    result, expected = [await outcome(bridge, tool, arguments) for arguments in (own, other)]
                    if of.masked(result) != others.masked(expected):
                        different.append(f"{tool} {own}:\n{result}\n{expected}")
    assert different == []
    assert asked == []


async def outcome(bridge: Bridge, tool: str, arguments: Json) -> str:
    """Return the error that a call must have."""
    result = await bridge.call(tool, **arguments)
    assert result.is_error, f"{tool} {arguments}: {text_of(result)}"
    return text_of(result)


async def test_no_operation_reaches_a_session_of_another(two: Two, opencode_generation: Generation) -> None:
    nobody = two.owned.others()
    different: list[str] = []
    compared = 0
    async with connected(two.served.url, two.served.launch, token=two.tokens[1]) as bridge:
        for item in table_of(opencode_generation).operations.values():
            required = [one.name for one in item.parameters if one.required]
            if not {"sessionID", "requestID", "permissionID"} & set(required):
                continue
            tool = "opencode_read_operation" if item.effect == "read" else "opencode_call_operation"
            texts = [
                of.masked(text_of(await bridge.call(tool, operation=item.id, arguments=filled(required, of))))
                for of in (two.owned, nobody)
            ]
            compared += 1
            if texts[0] != texts[1]:
                different.append(f"{item.id}:\n{texts[0]}\n{texts[1]}")
    assert different == []
    assert compared > 30


def filled(names: list[str], of: Owned) -> Json:
    """Return the required arguments of an operation."""
    known = {
        "sessionID": of.session,
        "messageID": of.message,
        "requestID": of.request,
        "permissionID": of.request,
    }
    return {name: known.get(name, "prt_x") for name in names}


async def test_no_resource_shows_what_is_anothers(two: Two) -> None:
    nobody = two.owned.others()
    different: list[str] = []
    async with connected(two.served.url, two.served.launch, token=two.tokens[1]) as bridge:
        for of, others in zip(two.owned.ways(), nobody.ways(), strict=True):
            for spec in RESOURCES:
                for own, other in zip(uris(spec.template, of), uris(spec.template, others), strict=True):
                    texts = [await read(bridge, uri) for uri in (own, other)]
                    if of.masked(texts[0]) != others.masked(texts[1]):
                        different.append(f"{own}:\n{texts[0]}\n{texts[1]}")
    assert different == []


def uris(template: str, of: Owned) -> list[str]:
    """Return URIs of a template that name what belongs to somebody."""
    base = re.sub(r"\{\?.*\}", "", template)
    named = base.replace("{id}", of.session).replace("{session}", of.session).replace("{message}", of.message)
    found = [named] if named != base else []
    if "directory" in template:
        found.append(f"{named.replace('{+path}', 'README.md')}?directory={of.directory}")
    return [uri.replace("{+path}", f"{of.directory}/README.md") for uri in found]


async def read(bridge: Bridge, uri: str) -> str:
    try:
        return str(await bridge.client.read_resource(uri))
    except MCPError as error:
        return str(error)


async def test_nothing_of_another_is_in_any_list(two: Two) -> None:
    async with connected(two.served.url, two.served.launch, token=two.tokens[1]) as bridge:
        seen = [
            text_of(await bridge.call(tool, **arguments))
            for tool, arguments in (
                ("opencode_list_sessions", {}),
                ("opencode_list_sessions", {"running": True}),
                ("opencode_list_sessions", {"cursor": f"{LATER_MILLISECONDS}.{two.owned.session}"}),
                ("opencode_status", {"show": "everything"}),
                ("opencode_cost", {}),
                ("opencode_status", {}),
                ("opencode_read_operation", {"operation": "session.list"}),
                ("opencode_read_operation", {"operation": "session.status"}),
                ("opencode_read_operation", {"operation": "permission.list"}),
                ("opencode_read_operation", {"operation": "question.list"}),
            )
        ]
        seen += [
            str(await bridge.client.list_resources()),
            str(await bridge.client.read_resource("opencode://sessions")),
        ]
    for words in seen:
        assert two.owned.session not in words
        assert two.owned.request not in words
        assert TITLE not in words
        assert two.owned.directory not in words


async def test_the_cursor_of_a_list_names_nothing_and_is_of_no_use_to_another(
    two: Two, opencode_generation: Generation
) -> None:
    listing = SEALED[opencode_generation]
    async with connected(two.served.url, two.served.launch, token=two.tokens[1]) as bridge:
        host = Host(bridge)
        for _ in range(2):
            await host.data("opencode_call_operation", operation="session.create")
        first = (await host.data("opencode_read_operation", operation=listing, arguments={"limit": 1}))["reply"]
        more = {"limit": 1, "cursor": first["cursor"]["next"]}
        second = (await host.data("opencode_read_operation", operation=listing, arguments=more))["reply"]
        assert first["data"][0]["id"] != second["data"][0]["id"]
        assert not any(b"ses_" in decoded(cursor) for page in (first, second) for cursor in page["cursor"].values())
    async with connected(two.served.url, two.served.launch, token=two.tokens[0]) as bridge:
        refused = await bridge.call("opencode_read_operation", operation=listing, arguments=more)
    assert "none of a page of this list" in text_of(refused)


def decoded(cursor: str | None) -> bytes:
    """Return what a cursor of OpenCode's contains."""
    return base64.urlsafe_b64decode(f"{(cursor or '').rpartition('.')[2]}===")


BEGINNING = ("opencode_run", "opencode_run_many")


async def test_each_action_is_in_the_audit_log_without_its_contents(two: Two) -> None:
    async with connected(two.served.url, two.served.launch, token=two.tokens[1]) as bridge:
        await bridge.call("opencode_abort", session_id=two.owned.session)
        await bridge.call("opencode_call_operation", operation="pty.remove", arguments={"ptyID": "pty_1"})
        await bridge.call("opencode_session", session_id=two.owned.session)
    answer: Json = {"taskId": two.owned.task, "inputResponses": {}}
    await RawHttp(two.served.url, two.tokens[0], WITH_TASKS).request("tasks/update", answer)
    log = two.served.launch.printed()
    audit = [json.loads(line) for line in log.splitlines() if line.startswith('{"log": "audit"')]
    # Requests for tasks name no tool.
    done = [(entry["principal"], entry.get("tool", ""), entry.get("session", ""), entry["outcome"]) for entry in audit]
    assert ("second", "opencode_abort", two.owned.session, "error") in done
    assert not [entry for entry in audit if entry.get("tool") == "opencode_session"]
    removal = next(entry for entry in audit if entry.get("operation") == "pty.remove")
    assert Path(removal["directory"]).name == "second"
    assert removal["allowed_by"] == "execute"
    answered = next(entry for entry in audit if entry.get("method") == "tasks/update" and entry["outcome"] == "ok")
    assert answered["session"].startswith("ses_")
    assert Path(answered["directory"]).name == "first"
    assert answered["task"] == two.owned.task[:32]
    begun = [entry for entry in audit if entry.get("tool") in BEGINNING and entry["outcome"] == "ok"]
    # Of these runs, one waits for a form, and one has become a task.
    assert {entry["principal"] for entry in begun[:4]} == {"first"}
    assert {two.owned.session, two.owned.isolated, two.owned.batch} <= {entry["session"] for entry in begun[:4]}
    assert TITLE not in log
    assert "Done." not in log


async def test_a_task_of_another_does_not_exist(two: Two) -> None:
    async def answers(token: str, task: str) -> list[Json]:
        return [
            await RawHttp(two.served.url, token, WITH_TASKS).request(method, {"taskId": task} | more)
            for method, more in TASK_REQUESTS
        ]

    known = await RawHttp(two.served.url, two.tokens[0], WITH_TASKS).request("tasks/get", {"taskId": two.owned.task})
    assert known["result"]["taskId"] == two.owned.task
    foreign, unknown = await answers(two.tokens[1], two.owned.task), await answers(two.tokens[1], "unknown")
    masked = [json.dumps(answer).replace(two.owned.task, "unknown") for answer in foreign]
    assert masked == [json.dumps(answer) for answer in unknown]
    assert all("There is no task" in answer for answer in masked)


async def test_another_process_with_the_same_key_serves_the_tasks_of_the_first(two: Two, tmp_path: Path) -> None:
    elsewhere = replace(two.served.launch.within(OPENCODE_MCP_STATE=str(tmp_path / "state")), log=tmp_path / "2.log")
    # Its own address follows that of the first process, and the last one counts.
    with serving(elsewhere, "--log-level", "INFO") as second:
        answers = [
            await RawHttp(second.url, token, WITH_TASKS).request("tasks/get", {"taskId": two.owned.task})
            for token in two.tokens
        ]
    assert answers[0]["result"]["taskId"] == two.owned.task
    assert "There is no task" in answers[1]["error"]["message"]


async def test_the_state_of_a_call_of_another_is_not_accepted(two: Two) -> None:
    answer = {two.owned.request: {"action": "accept", "content": {"answer": "once"}}}
    repeated = two.owned.call | {"requestState": two.owned.state, "inputResponses": answer}
    refused = await RawHttp(two.served.url, two.tokens[1], FORMS).request("tools/call", repeated)
    assert "Invalid or expired requestState" in refused["error"]["message"]
    async with connected(two.served.url, two.served.launch, token=two.tokens[0]) as bridge:
        report = await Host(bridge).wait(two.owned.session, wait_seconds=0)
    assert report["status"] == "needs_input"


@pytest.mark.filterwarnings("ignore:resources/subscribe is removed")
async def test_a_subscription_to_what_is_anothers_is_as_one_to_nothing(two: Two) -> None:
    nobody = two.owned.others()
    async with connected(two.served.url, two.served.launch, token=two.tokens[1], era="2025") as bridge:
        outcomes = [await subscribed(bridge, f"opencode://session/{of.session}") for of in (two.owned, nobody)]
    assert outcomes[0] == outcomes[1]


async def subscribed(bridge: Bridge, uri: str) -> str:
    try:
        session = bridge.client.session
        return str(await session.subscribe_resource(uri))  # pyright: ignore[reportDeprecated] - what that era has
    except MCPError as error:
        return str(error)
