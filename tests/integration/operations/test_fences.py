"""No argument of any operation leads out of the allowed directories, and nothing reaches OpenCode that would."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import attaching
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

OUTSIDE = "outside of what is allowed"
TEXT = {"type": "text", "text": "Hello"}
REFUSALS = ("must not", "must name", "must be relative", "holds a NUL character")
FOREIGN = {"type": "file", "mime": "text/plain", "url": "file:///etc/passwd"}
READ = {
    "status": "completed",
    "input": {},
    "output": "",
    "title": "",
    "metadata": {},
    "time": {"start": 1, "end": 2},
    "attachments": [FOREIGN | {"id": "prt_2", "sessionID": "{session}", "messageID": "msg_1"}],
}
"""The state of a tool call, with an attachment."""


def part(body: dict[str, object]) -> dict[str, object]:
    named = {"id": "prt_1", "sessionID": "{session}", "messageID": "msg_1"}
    return {"sessionID": "{session}", "messageID": "msg_1", "partID": "prt_1", "body": named | body}


def attached(url: str) -> dict[str, object]:
    return {"parts": [TEXT, {"type": "file", "mime": "text/plain", "url": url}]}


@dataclass(frozen=True, slots=True)
class Place:
    """A bridge that may do everything, inside one project, and files outside of it."""

    bridge: Bridge
    server: OpenCode
    project: Path
    session: str
    foreign: Path
    """A project outside."""
    foreign_session: str

    def filled(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Put the names of this place into arguments."""
        text = json.dumps(arguments)
        for name, value in (("project", self.project), ("foreign", self.foreign), ("session", self.session)):
            text = text.replace(f"{{{name}}}", str(value))
        return json.loads(text)

    async def refusal(self, operation_id: str, arguments: dict[str, Any], tool: str = "call") -> str:
        """Return the error of a call that must be refused."""
        result = await self.bridge.call(
            f"opencode_{tool}_operation", operation=operation_id, arguments=self.filled(arguments)
        )
        assert result.is_error, text_of(result)
        return text_of(result)

    async def read(self, operation_id: str, **arguments: object) -> dict[str, Any]:
        """The whole result of a read."""
        return data_of(await self.bridge.call("opencode_read_operation", operation=operation_id, arguments=arguments))


@pytest.fixture(scope="module")
async def place(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> AsyncGenerator[Place]:
    folder = tmp_path_factory.mktemp("fences")
    project, foreign = folder / "project", folder / "foreign"
    for directory in (project, foreign):
        directory.mkdir()
        # OpenCode takes repositories with the same first commit for one project.
        (directory / "name.txt").write_text(directory.name, encoding="utf-8")
        make_project(directory)
    async with opencode_server.client(foreign) as http:
        made = (await http.post("/session", json={"title": "Somebody else's"})).json()
    launch = attaching(folder, scripted_model, opencode_server, project).with_flags("--allow", "execute,admin")
    async with open_bridge(launch) as bridge:
        own = await bridge.call("opencode_call_operation", operation="session.create", arguments={})
        yield Place(bridge, opencode_server, project, data_of(own)["reply"]["id"], foreign, made["id"])


async def test_no_argument_names_a_place_outside(place: Place) -> None:
    outside: list[tuple[str, dict[str, Any]]] = [
        ("session.create", {"directory": "{foreign}"}),
        ("session.create", {"directory": "{project}/../foreign"}),
        ("session.list", {"directory": "/"}),
        ("v2.session.create", {"location": {"directory": "{foreign}"}}),
        (
            "experimental.controlPlane.moveSession",
            {"sessionID": "{session}", "destination": {"directory": "{foreign}"}},
        ),
        ("pty.create", {"cwd": "{foreign}"}),
        ("v2.pty.create", {"cwd": "/etc"}),
        ("worktree.remove", {"directory": "{foreign}"}),
        ("worktree.reset", {"directory": "/"}),
        ("v2.projectCopy.create", {"projectID": "x", "strategy": "x", "directory": "{foreign}/new"}),
        ("v2.projectCopy.remove", {"projectID": "x", "directory": "{foreign}", "force": True}),
        ("mcp.add", {"name": "x", "config": {"type": "local", "command": ["true"], "cwd": "/"}}),
        ("session.prompt", {"sessionID": "{session}", **attached("file://{foreign}/README.md")}),
        ("session.prompt_async", {"sessionID": "{session}", **attached("file:///etc/passwd?start=1")}),
        ("session.prompt", {"sessionID": "{session}", **attached("FILE:/etc/passwd")}),
        ("session.prompt", {"sessionID": "{session}", **attached(" fi\nle:///etc/passwd")}),
        ("session.prompt", {"sessionID": "{session}", **attached("file://{project}/../foreign/README.md")}),
        ("session.prompt", {"sessionID": "{session}", **attached("file://{project}/%2e%2e/foreign/README.md")}),
        ("part.update", part({"type": "file", "mime": "text/plain", "url": "file:///etc/passwd"})),
        ("part.update", part({"type": "tool", "callID": "c", "tool": "read", "state": READ})),
        (
            "v2.session.prompt",
            {"sessionID": "{session}", "prompt": {"text": "x", "files": [{"uri": "file:///etc/passwd"}]}},
        ),
        ("session.command", {"sessionID": "{session}", "command": "init", "arguments": "see @/etc/passwd"}),
        ("session.command", {"sessionID": "{session}", "command": "init", "arguments": "see @../foreign/README.md"}),
        ("file.read", {"path": "/etc/passwd"}),
        ("file.list", {"path": "{foreign}"}),
    ]
    for operation_id, arguments in outside:
        reads = operation_id in {"file.read", "file.list", "session.list"}
        error = await place.refusal(operation_id, arguments, "read" if reads else "call")
        assert OUTSIDE in error, (operation_id, arguments)


@pytest.mark.parametrize(
    "url",
    [
        "file://elsewhere/etc/passwd",
        r"file:///x/..\..\etc\passwd",
        "file:///x/..%5c..%5cetc",
        "file://[x/etc/passwd",
        "file://\N{ACCOUNT OF}/etc/passwd",
    ],
)
async def test_an_address_that_opencode_would_read_otherwise_is_refused(place: Place, url: str) -> None:
    error = await place.refusal("session.prompt", {"sessionID": place.session, **attached(url)})
    assert "is not the URL of a file" in error


async def test_a_mention_of_the_home_directory_is_refused(place: Place) -> None:
    arguments = {"sessionID": place.session, "command": "init", "arguments": "see @~/secrets.txt"}
    assert "would attach a file from the home directory" in await place.refusal("session.command", arguments)


async def test_what_is_inside_may_be_attached_and_mentioned(place: Place) -> None:
    parts = attached(f"file://{place.project}/docs/notes.txt?start=1&end=2")
    for operation_id, arguments in (
        ("session.prompt", {"sessionID": place.session, **parts}),
        ("session.command", {"sessionID": place.session, "command": "init", "arguments": "see @docs/notes.txt"}),
    ):
        result = await place.bridge.call("opencode_call_operation", operation=operation_id, arguments=arguments)
        assert not result.is_error, text_of(result)
    said = await place.read("session.messages", sessionID=place.session)
    assert "one" in str(said["reply"])


async def test_a_session_of_another_directory_is_not_the_callers(place: Place) -> None:
    foreign = place.foreign_session
    for operation_id, arguments in (
        ("session.get", {"sessionID": foreign}),
        ("session.messages", {"sessionID": foreign}),
        ("sync.history.list", {"body": {foreign: 0}}),
        ("event.subscribe", {"sessionID": foreign}),
        ("v2.session.messages", {"sessionID": foreign}),
    ):
        assert OUTSIDE in await place.refusal(operation_id, arguments, "read"), operation_id
    part = {"type": "tui.session.select", "properties": {"sessionID": foreign}}
    for operation_id, arguments in (
        ("session.delete", {"sessionID": foreign}),
        ("session.create", {"parentID": foreign}),
        ("tui.selectSession", {"sessionID": foreign}),
        ("tui.publish", {"body": part}),
        ("sync.steal", {"sessionID": foreign}),
    ):
        assert OUTSIDE in await place.refusal(operation_id, arguments), operation_id


async def test_lists_leave_out_what_is_of_other_directories_and_say_so(place: Place) -> None:
    projects = await place.read("project.list")
    assert [item["worktree"] for item in projects["reply"]] == [str(place.project)]
    assert "left out: they are outside of what is allowed" in projects["notes"][0]
    history = await place.read("sync.history.list", body={place.session: 0})
    assert {row["aggregate_id"] for row in history["reply"]} <= {place.session}
    for operation_id, rows in (("experimental.session.list", "reply"), ("v2.session.list", "data")):
        found = await place.read(operation_id)
        listed = found["reply"] if rows == "reply" else found["reply"]["data"]
        assert place.foreign_session not in {item["id"] for item in listed}
        assert place.session in {item["id"] for item in listed}


async def test_a_limit_counts_the_sessions_that_are_left(place: Place) -> None:
    """The latest session is one of another directory, so OpenCode's own page of one session would be empty."""
    async with place.server.client(place.foreign) as http:
        made = (await http.post("/session", json={"title": "The latest, outside"})).json()["id"]
        for operation_id in ("experimental.session.list", "v2.session.list", "session.list"):
            found = await place.read(operation_id, limit=1)
            listed = found["reply"]["data"] if operation_id == "v2.session.list" else found["reply"]
            assert len(listed) == 1, operation_id
            assert listed[0]["id"] != made
        await http.delete(f"/session/{made}")


async def test_events_of_other_directories_are_not_reported(place: Place) -> None:
    titles: set[str] = set()

    async def listen() -> None:
        found = await place.read("global.event", types=["session.created"], count=3, seconds=30)
        titles.update(event["payload"]["properties"]["info"]["title"] for event in found["reply"]["events"])
        tasks.cancel_scope.cancel()

    async def act() -> None:
        while True:
            await http.post("/session", json={"title": "Not for you"})
            await place.bridge.call("opencode_call_operation", operation="session.create", arguments={"title": "Mine"})
            await anyio.sleep(0.2)

    async with place.server.client(place.foreign) as http, anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        tasks.start_soon(act)
    assert titles == {"Mine"}


async def test_a_folder_of_the_sessions_project_is_not_where_it_works(place: Place) -> None:
    inner = place.project / "src"
    error = await place.refusal("session.abort", {"sessionID": place.session, "directory": str(inner)})
    assert f"is a folder of the project {place.project}, and not listed as a project" in error


INJECTIONS = [
    ("auth.remove", {"providerID": "x\r\nX-Evil: 1"}),
    ("auth.remove", {"providerID": "x\0"}),
    ("auth.remove", {"providerID": ".."}),
    ("auth.remove", {"providerID": "a/../../session"}),
    ("auth.remove", {"providerID": "a%2f..%2fsession"}),
    ("auth.remove", {"providerID": "a%5Cb"}),
    ("mcp.connect", {"name": "%2e%2e"}),
    ("session.get", {"sessionID": "ses_x/../../config"}),
    ("find.text", {"pattern": "a\r\nHost: evil"}),
    ("file.read", {"path": "a\0b"}),
    ("file.read", {"path": "../../etc/passwd"}),
    ("session.list", {"directory": "/x\r\ny"}),
    ("v2.fs.read", {"path": "a/../../b"}),
    ("v2.fs.read", {"path": "/etc/passwd"}),
]


@pytest.mark.parametrize(("operation_id", "arguments"), INJECTIONS)
async def test_what_would_break_out_of_its_place_is_refused(
    place: Place, operation_id: str, arguments: dict[str, str]
) -> None:
    reads = operation_id.startswith(("session", "find", "file", "v2"))
    error = await place.refusal(operation_id, arguments, "read" if reads else "call")
    assert any(reason in error for reason in REFUSALS)
