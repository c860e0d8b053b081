"""Each tool, resource and completion requests only the operations that ``--deny`` knows of; requests are recorded."""

import re
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mcp_types import PromptReference, ResourceTemplateReference

from opencode_mcp.opencode.operation_catalog.catalog import table_of
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server import uris
from opencode_mcp.server.access.operations_of_tools import COMPLETION_USES, RESOURCE_USES, TOOL_USES, Uses
from opencode_mcp.server.resources.completions import SOURCES
from opencode_mcp.server.resources.resources import RESOURCES
from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import attaching
from tests.harness.faults.altered import Altered, altered
from tests.harness.project import SNAPSHOTS, configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.scripted_model.script import bash, hold, question, script, step, task, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

OWN: Mapping[Generation, frozenset[str]] = {
    1: frozenset(
        {
            "app.agents",
            "command.list",
            "config.get",
            "config.providers",
            "experimental.session.list",
            "file.list",
            "global.event",
            "global.health",
            "path.get",
            "permission.list",
            "project.current",
            "provider.list",
            "question.list",
            "session.children",
            "session.diff",
            "session.get",
            "session.message",
            "session.messages",
            "session.status",
            "session.todo",
            "session.update",
        }
    ),
    2: frozenset(
        {
            "agent.list",
            "command.list",
            "config.get",
            "event.subscribe",
            "file.list",
            "form.list",
            "location.get",
            "message.list",
            "model.default",
            "model.list",
            "permission.request.list",
            "provider.list",
            "server.info",
            "session.active",
            "session.diff",
            "session.get",
            "session.inbox.list",
            "session.list",
            "session.message.get",
            "session.switchAgent",
            "session.switchModel",
            "session.update",
        }
    ),
}
"""Operations that the bridge uses for itself, whatever is denied: reads, ``session.update`` for the note with the
limits of a run (``runs/run_note.py``), which enforces the operator's decisions, and on OpenCode 2 those that set the
agent and the model of a prompt."""
OWN_WRITES: Mapping[Generation, set[str]] = {
    1: {"session.update"},
    2: {"session.switchAgent", "session.switchModel", "session.update"},
}


REJECTION: Mapping[Generation, Mapping[str, frozenset[str]]] = {
    1: {},
    2: {
        "opencode_reply_permission": frozenset({"permission.get", "session.interrupt"}),
        "opencode_reply_question": frozenset({"session.form.get", "session.interrupt"}),
    },
}
"""Operations by which the bridge rejects: an interrupt on OpenCode 2, whose own rejection ends the run too."""
UNLESS_DENIED: Mapping[str, frozenset[str]] = {
    "opencode_diff": frozenset({"vcs.status"}),
    "changes": frozenset({"vcs.status"}),
}
"""Operations of both generations that a tool or resource uses only if they are not denied: it works without them."""
OTHER_GENERATION = ("GET", "/global/health")
"""Request that distinguishes an OpenCode 1 from an OpenCode 2, if it is not an operation."""


@cache
def routes_of(generation: Generation) -> list[tuple[str, re.Pattern[str], str]]:
    """Return method, pattern of the path, and id of all operations; a path without variables goes before others."""
    items = sorted(table_of(generation).operations.values(), key=lambda item: item.path.count("{"))
    return [(item.method, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(item.path))), item.id) for item in items]


def requested(requests: Iterable[tuple[str, str]], generation: Generation) -> set[str]:
    """The operations behind some requests."""
    routes, found = routes_of(generation), set[str]()
    for method, path in requests:
        if generation == 2 and (method, path) == OTHER_GENERATION:
            continue
        name = next((name for kind, route, name in routes if kind == method and route.fullmatch(path)), "")
        assert name, f"{method} {path} is no operation"
        found.add(name)
    return found


@dataclass(slots=True)
class Recorder:
    """A bridge, and what each of its tools, resources and completions has asked for."""

    bridge: Bridge
    server: Altered
    generation: Generation
    seen: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    async def call(self, tool: str, /, **arguments: object) -> dict[str, Any]:
        """Call a tool that must succeed, and note what it asked for."""
        with self._noting(tool):
            return data_of(await self.bridge.call(tool, **arguments))

    async def refused(self, tool: str, /, **arguments: object) -> None:
        """The same for a call that must fail."""
        with self._noting(tool):
            result = await self.bridge.call(tool, **arguments)
        assert result.is_error, text_of(result)

    async def read(self, name: str, address: str) -> None:
        """Read a resource."""
        with self._noting(name):
            await self.bridge.client.read_resource(address)

    async def complete(self, argument: str, about: PromptReference | str, typed: str, **others: str) -> None:
        """Complete an argument."""
        ref = ResourceTemplateReference(type="ref/resource", uri=about) if isinstance(about, str) else about
        with self._noting(argument):
            await self.bridge.client.complete(ref, {"name": argument, "value": typed}, others or None)

    @contextmanager
    def _noting(self, name: str) -> Generator[None]:
        begun = len(self.server.requests)
        yield
        self.seen.setdefault(name, set()).update(requested(self.server.requests[begun:], self.generation))

    def check(self, declared: Mapping[str, Uses]) -> None:
        """Hold what was seen to what is declared, and see that nothing was left out."""
        assert set(self.seen) == set(declared)
        own, rejection = OWN[self.generation], REJECTION[self.generation]
        undeclared: dict[str, set[str]] = {}
        for name, seen in self.seen.items():
            known = {*declared[name][self.generation], *own, *rejection.get(name, ()), *UNLESS_DENIED.get(name, ())}
            undeclared[name] = seen - known
        assert not any(undeclared.values()), f"--deny does not know of {undeclared}"


@pytest.fixture(scope="module")
async def recorder(
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    opencode_generation: Generation,
) -> AsyncGenerator[Recorder]:
    folder = tmp_path_factory.mktemp("uses")
    project = make_project(folder / "project")
    commands = {"greet": {"template": "Say hello to $ARGUMENTS", "description": "Greets"}}
    configure(project, {**SNAPSHOTS, "permission": {"bash": {"*": "allow", "echo ask*": "ask"}}, "command": commands})
    with altered(opencode_server.url) as server:
        launch = attaching(folder, scripted_model, replace(opencode_server, url=server.url), project)
        restricted = launch.with_flags("--permissions", "agent", "--allow", "execute")
        async with open_bridge(restricted) as bridge:
            yield Recorder(bridge, server, opencode_generation)


@pytest.mark.parametrize("generation", OWN)
def test_what_the_bridge_does_for_itself_only_reads_but_for_its_own_writes(generation: Generation) -> None:
    table = table_of(generation)
    assert {name for name in OWN[generation] if table.operation(name).effect != "read"} == OWN_WRITES[generation]


BY_THEIR_ARGUMENT = {"opencode_read_operation", "opencode_call_operation"}
"""They use what their caller names, and refuse what is denied call by call."""


LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("opencode_list_sessions", {}),
    ("opencode_list_sessions", {"search": "Uses", "limit": 1}),
    ("opencode_cost", {}),
    ("opencode_diff", {}),
    ("opencode_diff", {"against": "branch"}),
    ("opencode_read_file", {"path": "."}),
    ("opencode_read_file", {"path": "docs/notes.txt"}),
    ("opencode_find_files", {"query": "notes"}),
    ("opencode_find_files", {"query": "**/*.txt", "type": "file"}),
    ("opencode_find_files", {"query": "docs", "type": "directory"}),
    ("opencode_find_text", {"pattern": "one"}),
    ("opencode_find_symbols", {"query": "main"}),
    ("opencode_find_symbols", {"query": "greet", "references": True}),
    ("opencode_status", {}),
    ("opencode_status", {"show": "everything"}),
    ("opencode_find_operations", {"query": "session"}),
]
ANSWERS: list[tuple[str, Any, dict[str, Any]]] = [
    ("opencode_reply_permission", bash("echo ask"), {"reply": "once"}),
    ("opencode_reply_permission", bash("echo ask"), {"reply": "reject", "message": "No."}),
    ("opencode_reply_permission", bash("echo ask"), {"reply": "reject"}),
    ("opencode_reply_question", question("Which?", "Red"), {"answers": [["Red"]]}),
    ("opencode_reply_question", question("Which?", "Red"), {"reject": True}),
]


@pytest.mark.both_generations
@pytest.mark.usefixtures("without_latest_sessions")
async def test_every_tool_uses_what_is_declared(recorder: Recorder, scripted_model: ScriptedModel) -> None:
    recorder.seen.clear()
    made = await recorder.call("opencode_run", prompt=script(write("made.txt", "x\n"), text("Made.")), title="Uses")
    await _go_on(recorder, {"session_id": made["session_id"]}, made["message_id"])
    isolated = await recorder.call("opencode_run", prompt=script(text("Apart.")), isolate=True)
    await recorder.call("opencode_integrate", session_id=isolated["session_id"], how="discard")
    unchanged = await recorder.call("opencode_run", prompt=script(text("Nothing to change.")))
    await recorder.call("opencode_diff", session_id=unchanged["session_id"])
    assert "vcs.status" in recorder.seen["opencode_diff"]
    await recorder.call("opencode_run_many", tasks=[{"prompt": script(text("One of many."))}], wait_seconds=30)
    await _stop(recorder, scripted_model)
    for tool, asks, answer in ANSWERS:
        asked = await recorder.call("opencode_run", prompt=script(asks, text("On.")))
        await recorder.call(tool, request_id=asked["pending"][0]["request_id"], **answer)
    for tool, arguments in LOOKS:
        await recorder.call(tool, **arguments)
    await recorder.refused("opencode_run", prompt="x", agent="nobody")
    await recorder.refused("opencode_read_file", path="docs/nothing.txt")
    recorder.check({name: uses for name, uses in TOOL_USES.items() if name not in BY_THEIR_ARGUMENT})


@pytest.mark.both_generations
async def test_the_list_of_changed_files_is_not_read_if_it_is_denied(
    recorder: Recorder, scripted_model: ScriptedModel, opencode_server: OpenCode, tmp_path: Path
) -> None:
    run = data_of(await recorder.bridge.call("opencode_run", prompt=script(text("Nothing to change."))))
    with altered(opencode_server.url) as server:
        launch = attaching(tmp_path, scripted_model, replace(opencode_server, url=server.url), Path(run["directory"]))
        async with open_bridge(launch.with_flags("--deny", "vcs.status")) as bridge:
            found = data_of(await bridge.call("opencode_diff", session_id=run["session_id"]))
            used = requested(server.requests, recorder.generation)
    assert found["files"] == []
    assert used & {"session.messages", "message.list"}
    assert "vcs.status" not in used


async def _go_on(recorder: Recorder, session: dict[str, Any], first: str) -> None:
    """Everything that takes a session."""
    call = recorder.call
    below = script(task(script(text("Below."))), text("Done."))
    await call("opencode_run", prompt=below, files=["made.txt"], agent="build", permissions="human", **session)
    await call("opencode_wait", **session)
    await call("opencode_wait", session_ids=list(session.values()), until="all")
    await call("opencode_wait", message_id=first, wait_seconds=0, **session)
    await call("opencode_session", show="everything", **session)
    await call("opencode_diff", **session)
    await call("opencode_diff", message_id=first, **session)
    await call("opencode_diff", compare_with=session["session_id"], **session)
    await call("opencode_command", command="greet", arguments="everybody")
    await call("opencode_command", command="greet", arguments="all", **session)
    await call("opencode_shell", command="true", **session)
    await call("opencode_shell", command="true")
    fork = await call("opencode_fork", **session)
    await call("opencode_update_session", title="Used", archived=True, session_id=fork["session_id"])
    await call("opencode_delete_session", session_id=fork["session_id"])
    await call("opencode_revert", message_id=first, **session)
    await call("opencode_revert", restore=True, **session)


async def _stop(recorder: Recorder, scripted_model: ScriptedModel) -> None:
    held = await recorder.call("opencode_run", prompt=script(step(hold("used"), text("Never."))), wait_seconds=0)
    await scripted_model.reached("used")
    await recorder.call("opencode_list_sessions", running=True)
    await recorder.call("opencode_session", session_id=held["session_id"])
    await recorder.call("opencode_abort", session_id=held["session_id"])


@pytest.mark.both_generations
async def test_every_resource_uses_what_is_declared(recorder: Recorder) -> None:
    run = data_of(await recorder.bridge.call("opencode_run", prompt=script(write("read.txt", "x\n"), text("Read."))))
    recorder.seen.clear()
    session, message = run["session_id"], run["message_id"]
    filled = {"{id}": session, "{session}": session, "{message}": message, "{+path}": "docs/notes.txt"}
    for spec in RESOURCES:
        address = re.sub(r"\{\?[^}]*\}", "", spec.template)
        for name, value in filled.items():
            address = address.replace(name, value)
        await recorder.read(spec.name, address)
    recorder.check(RESOURCE_USES)


@pytest.mark.both_generations
async def test_every_completion_uses_what_is_declared(recorder: Recorder) -> None:
    run = data_of(await recorder.bridge.call("opencode_run", prompt=script(text("Completed."))))
    recorder.seen.clear()
    delegate = PromptReference(type="ref/prompt", name="delegate")
    for argument in SOURCES:
        about = uris.TRANSCRIPT_TEMPLATE if argument in {"id", "show"} else delegate
        others = {"session": run["session_id"]} if argument == "message" else {}
        await recorder.complete(argument, about, "", **others)
    recorder.check(COMPLETION_USES)
