"""The operations of OpenCode 2 through MCP: each that the tests' OpenCode 2 presents is called once."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest

from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.secrets.own_passwords import MARK
from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.opencode2.proxy import contract
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.scripted_model.script import script, text, write

if TYPE_CHECKING:
    from tests.harness.servers.opencode import OpenCode

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

Json = dict[str, Any]
TABLE = TABLES[2]
ABSENT = set(contract.operations(contract.ABSENT))
PRESENTED = {item.id for item in TABLE.operations.values() if (item.method, item.path) not in ABSENT}
"""Operations that the proxy before the preview engine answers."""
ALLOWING = ("--allow", "execute,admin", "--permissions", "agent")


@dataclass(frozen=True, slots=True)
class World:
    """A bridge at OpenCode 2, and the operations that were called through it."""

    bridge: Bridge
    project: Path
    called: set[str] = field(default_factory=set[str])

    async def call(self, operation_id: str, /, **arguments: object) -> Any:  # noqa: ANN401 - any JSON value
        """Call an operation that must succeed, and return OpenCode's reply."""
        result = await self._ask(operation_id, arguments)
        return data_of(result)["reply"]

    async def data(self, operation_id: str, /, **arguments: object) -> Any:  # noqa: ANN401
        """The same, but return the content of the reply."""
        return (await self.call(operation_id, **arguments))["data"]

    async def refusal(self, operation_id: str, /, **arguments: object) -> str:
        """Call an operation that must fail, and return what the caller reads."""
        result = await self._ask(operation_id, arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    async def _ask(self, operation_id: str, arguments: Mapping[str, object]) -> Any:  # noqa: ANN401
        self.called.add(operation_id)
        reads = TABLE.operation(operation_id).effect == "read"
        tool = "opencode_read_operation" if reads else "opencode_call_operation"
        return await self.bridge.call(tool, operation=operation_id, arguments=dict(arguments))

    async def session(self, **more: object) -> str:
        """The id of a new session."""
        return (await self.data("session.create", title="Operations", **more))["id"]

    async def say(self, session_id: str, prompt: str) -> str:
        """Prompt a session, wait for the end, and return the id of the prompt."""
        admitted = await self.data("session.prompt", sessionID=session_id, text=prompt)
        await self.call("session.wait", sessionID=session_id, seconds=60)
        return admitted["id"]


@pytest.fixture
def launch2(tmp_path: Path, scripted_model: ScriptedModel, opencode2: OpenCode2, shared_project: Path) -> Launch:
    return attaching(tmp_path, scripted_model, cast("OpenCode", opencode2), shared_project)


@pytest.fixture
async def world(launch2: Launch, shared_project: Path) -> AsyncGenerator[World]:
    async with open_bridge(launch2.with_flags(*ALLOWING)) as bridge:
        yield World(bridge, shared_project)


async def test_every_operation_that_is_presented_can_be_called(world: World) -> None:
    await _project_and_providers(world)
    await _files_and_terminals(world)
    await _sessions(world)
    await _messages(world)
    await _requests(world)
    await _undo_and_end(world)
    assert PRESENTED - world.called == set()


async def _project_and_providers(world: World) -> None:
    assert (await world.call("server.info"))["version"] == TABLE.version
    assert (await world.call("location.get"))["directory"] == str(world.project)
    assert {"build", "plan", "asking"} <= {item["id"] for item in await world.data("agent.list")}
    assert [item["id"] for item in await world.data("model.list")] == ["m1", "m2"]
    assert (await world.data("agent.get", agentID="build"))["id"] == "build"
    assert "greet" in [item["name"] for item in await world.data("command.list")]
    provider = await world.data("provider.get", providerID="scripted")
    assert provider["settings"]["apiKey"] == MARK
    assert [item["settings"]["apiKey"] for item in await world.data("provider.list")] == [MARK]
    assert (await world.data("model.default"))["id"] == "m1"
    for name in ("skill.list", "reference.list", "plugin.list", "websearch.providers", "integration.list"):
        assert isinstance(await world.data(name), list)
    entries = await world.call("config.get")
    documents = [entry["info"] for entry in entries if entry["type"] == "document"]
    [document] = [document for document in documents if "providers" in document]
    assert document["providers"]["scripted"]["settings"]["apiKey"] == MARK
    assert str(world.project) in [row["directory"] for row in await world.call("debug.location.list")]
    await _integrations(world)
    await _mcp_servers(world)
    await _worktrees(world)
    assert (await world.data("generate.text", prompt=script(text("Generated."))))["text"] == "Generated."
    assert "websearch.query" in await world.refusal("websearch.query", query="x")


async def _worktrees(world: World) -> None:
    own = {"projectID": (await world.call("location.get"))["project"]["id"]}
    made = (await world.call("worktree.create", **own, **{"from": str(world.project)}, name="beside"))["directory"]
    assert [each["directory"] for each in await world.call("worktree.list", **own)] == [made]
    await world.call("worktree.remove", **own, directory=made, force=True)
    assert await world.call("worktree.list", **own) == []


async def _integrations(world: World) -> None:
    assert "Integration not found: nosuch" in await world.refusal("integration.get", integrationID="nosuch")
    assert "OpenCode" in await world.refusal("integration.connect.key", integrationID="nosuch", key="k-4711-secret")
    attempt = {"integrationID": "nosuch", "attemptID": "att_none"}
    for kind in ("oauth", "command"):
        await world.refusal(f"integration.{kind}.connect", integrationID="nosuch", methodID="none")
        await world.refusal(f"integration.{kind}.status", **attempt)
        await world.bridge.call("opencode_call_operation", operation=f"integration.{kind}.cancel", arguments=attempt)
        world.called.add(f"integration.{kind}.cancel")
    await world.refusal("integration.oauth.complete", **attempt)
    await world.refusal("integration.wellknown.add", url="http://127.0.0.1:9/")
    for name, more in (("credential.update", {"label": "x"}), ("credential.remove", {})):
        world.called.add(name)
        arguments = {"credentialID": "cred_none", **more}
        await world.bridge.call("opencode_call_operation", operation=name, arguments=arguments)


async def _mcp_servers(world: World) -> None:
    await world.call("mcp.add", server="own", config={"type": "local", "command": ["false"], "disabled": True})
    assert "own" in [item["name"] for item in await world.data("mcp.list")]
    await world.call("mcp.connect", server="own")
    await world.call("mcp.disconnect", server="own")
    assert await world.data("mcp.resource.catalog") == {"resources": [], "templates": []}
    await world.call("mcp.remove", server="own")


async def _files_and_terminals(world: World) -> None:
    assert {"README.md", "docs/"} <= {item["path"] for item in await world.data("file.list")}
    assert "three" in await world.call("file.read", path="docs/notes.txt")
    assert "docs/notes.txt" in [item["path"] for item in await world.data("file.find", query="notes")]
    assert (await world.data("vcs.get"))["branch"]["current"] == "main"
    assert isinstance(await world.data("vcs.status"), list)
    assert isinstance(await world.data("vcs.diff", mode="working"), list)
    terminal = (await world.data("pty.create", title="Own", cwd=str(world.project)))["id"]
    assert terminal in [item["id"] for item in await world.data("pty.list")]
    await world.call("pty.update", ptyID=terminal, size={"rows": 30, "cols": 90})
    assert (await world.data("pty.get", ptyID=terminal))["status"] == "running"
    assert (await world.data("pty.connect.token", ptyID=terminal))["ticket"] == MARK
    await world.call("pty.remove", ptyID=terminal)
    shell = (await world.data("shell.create", command="sleep 0.2; echo from the shell"))["id"]
    assert isinstance(await world.data("shell.list"), list)

    async def printed() -> bool:
        return "from the shell" in (await world.data("shell.output", id=shell))["output"]

    await eventually(printed)
    assert (await world.data("shell.get", id=shell))["command"].startswith("sleep")
    await world.call("shell.remove", id=shell)


async def _sessions(world: World) -> None:
    made = await world.data("session.create", title="Operations")
    session = {"sessionID": made["id"]}
    assert made["location"]["directory"] == str(world.project)
    assert str(world.project) in [item["canonical"] for item in await world.call("project.list")]
    await world.call("session.update", title="Renamed", metadata={"mine": 1}, **session)
    found = await world.data("session.get", **session)
    assert (found["title"], found["metadata"]) == ("Renamed", {"mine": 1})
    assert made["id"] in [item["id"] for item in await world.data("session.list", parentID="null", limit=200)]
    assert await world.data("session.active") == {}
    await world.call("session.switchAgent", agent="plan", **session)
    await world.call("session.switchModel", model={"providerID": "scripted", "id": "m2"}, **session)
    assert (await world.data("session.get", **session))["agent"] == "plan"
    await world.call("session.instructions.entry.put", key="tone", value="short", **session)
    assert await world.data("session.instructions.entry.list", **session) == [{"key": "tone", "value": "short"}]
    await world.call("session.instructions.entry.remove", key="tone", **session)
    await world.call("session.move", directory=str(world.project), **session)
    await world.call("session.view", idle=1, **session)
    assert (await world.call("session.interrupt", **session)) == {"interrupted": False}
    await world.call("session.remove", **session)
    assert "There is no session" in await world.refusal("session.get", **session)


async def _messages(world: World) -> None:
    session_id = await world.session()
    session = {"sessionID": session_id}
    prompt = await world.say(session_id, script(write("made.txt", "made\n"), text("Done.")))
    listed = await world.call("message.list", order="asc", **session)
    assert prompt in [item["id"] for item in listed["data"]]
    assert (await world.data("session.message.get", messageID=prompt, **session))["type"] == "user"
    assert isinstance(await world.data("session.context", **session), list)
    assert await world.data("session.inbox.list", **session) == []
    assert "made.txt" in [item["file"] for item in await world.data("session.diff", **{"from": prompt}, **session)]
    logged = await world.call("session.log", seconds=5, **session)
    assert "session.execution.succeeded" in [event["type"] for event in logged["events"]]
    collected = await world.call("event.subscribe", seconds=0.5, types=["session.*"], **session)
    assert collected["ended"] in {"time", "closed"}
    await world.call("session.synthetic", text="A note.", resume=False, **session)
    for name, more in (("session.inbox.cancel", {}), ("session.inbox.update", {"delivery": "queue"})):
        waiting = (await world.data("session.inbox.list", **session))[0]["id"]
        assert "OpenCode" in await world.refusal(name, inboxID=waiting, **more, **session)
    await world.call("session.command", name="greet", text="everybody", **session)
    await world.call("session.wait", seconds=60, **session)
    await world.call("session.shell", command="echo by hand", **session)
    await world.call("session.wait", seconds=60, **session)
    await world.call("session.compact", **session)
    await world.call("session.wait", seconds=60, **session)
    assert (await world.data("session.generate", prompt=script(text("Aside.")), **session))["text"] == "Aside."
    await world.call("session.background", **session)
    assert "skill" in (await world.refusal("session.skill", id="nosuch", **session)).lower()
    fork = (await world.data("session.fork", before=prompt, **session))["id"]
    assert fork != session_id


async def _requests(world: World) -> None:
    session_id = await world.session(agent="asking")
    session = {"sessionID": session_id}
    asked = await world.data("permission.create", action="shell", resources=["ls"], agent="asking", **session)
    assert asked["effect"] == "ask"
    assert asked["id"] in [item["id"] for item in await world.data("permission.list", **session)]
    assert asked["id"] in [item["id"] for item in await world.data("permission.request.list")]
    assert (await world.data("permission.get", requestID=asked["id"], **session))["action"] == "shell"
    await world.call("permission.reply", requestID=asked["id"], decision="once", **session)
    assert await world.data("permission.list", **session) == []
    said = await world.refusal("permission.reply", requestID=asked["id"], decision="once", **session)
    assert "not found" in said.lower()
    assert isinstance(await world.data("permission.saved.list"), list)
    world.called.add("permission.saved.remove")
    await world.bridge.call("opencode_call_operation", operation="permission.saved.remove", arguments={"id": "psv_x"})
    fields = [{"key": "q0", "title": "Which?", "type": "string", "required": True}]
    form = (await world.data("session.form.create", title="Ask", fields=fields, **session))["id"]
    assert form in [item["id"] for item in await world.data("session.form.list", **session)]
    assert form in [item["id"] for item in await world.data("form.list")]
    await world.call("session.form.reply", formID=form, answer={"q0": "red"}, **session)
    assert (await world.data("session.form.get", formID=form, **session))["state"]["status"] == "answered"
    other = (await world.data("session.form.create", title="Ask", fields=fields, **session))["id"]
    await world.call("session.form.cancel", formID=other, **session)
    await world.refusal("session.form.reply", formID=other, answer={"q0": "red"}, **session)


async def _undo_and_end(world: World) -> None:
    session_id = await world.session()
    session = {"sessionID": session_id}
    prompt = await world.say(session_id, script(write("undone.txt", "x\n"), text("Done.")))
    await world.call("session.revert.stage", messageID=prompt, files=True, **session)
    assert not (world.project / "undone.txt").exists()
    await world.call("session.revert.clear", **session)
    assert (world.project / "undone.txt").exists()
    await world.call("session.wait", seconds=60, **session)
    await world.call("session.revert.stage", messageID=prompt, files=False, **session)
    await world.call("session.revert.commit", **session)
    await world.call("debug.location.evict")


async def test_only_operations_of_opencode_2_are_found_and_called(launch2: Launch, shared_project: Path) -> None:
    async with open_bridge(launch2) as bridge:
        found = data_of(await bridge.call("opencode_find_operations", limit=200))["operations"]
        assert {hit["id"] for hit in found} == set(TABLE.operations)
        old = await bridge.call("opencode_call_operation", operation="session.abort", arguments={"sessionID": "ses_1"})
        assert old.is_error
        assert "OpenCode 2 has session.interrupt instead" in text_of(old)
        world = World(bridge, shared_project)
        said = await world.refusal("session.fork", sessionID="ses_1", messageID="msg_1")
        assert "no argument `messageID`" in said
        assert "`before` names the message." in said


async def test_the_tool_of_an_operation_calls_that_of_the_generation_in_use(launch2: Launch) -> None:
    async with open_bridge(launch2.with_flags("--toolsets", "sessions", "--allow", "execute")) as bridge:
        made = data_of(await bridge.call("opencode_op_session_create", title="By its tool"))["reply"]["data"]
        stopped = await bridge.call("opencode_op_session_interrupt", sessionID=made["id"])
        assert data_of(stopped)["reply"] == {"interrupted": False}
        old = await bridge.call("opencode_op_session_abort", sessionID=made["id"])
        assert old.is_error
        assert "OpenCode 2 has session.interrupt instead" in text_of(old)


async def test_the_limits_of_a_caller_hold_in_opencode_2(
    launch2: Launch, opencode2: OpenCode2, shared_project: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret\n", encoding="utf-8")
    async with opencode2.client() as http:
        made = await http.post("/api/session", json={"location": {"directory": str(outside)}})
        foreign = made.raise_for_status().json()["data"]["id"]
    async with open_bridge(launch2.with_flags("--allow", "session.prompt", "--allow", "session.move")) as bridge:
        world = World(bridge, shared_project)
        session_id = await world.session(permissions=[{"action": "shell", "resource": "*", "effect": "deny"}])
        session = {"sessionID": session_id}
        listed = await world.data("session.list", limit=200)
        assert session_id in [item["id"] for item in listed]
        assert foreign not in [item["id"] for item in listed]
        url = (outside / "secret.txt").as_uri()
        allowing = [{"action": "shell", "resource": "*", "effect": "allow"}]
        call = {"type": "tool", "messageID": "msg_1", "id": "call_1"}
        refused: list[tuple[str, Json, str]] = [
            ("session.get", {"sessionID": foreign}, "outside of what is allowed"),
            ("session.create", {"id": foreign}, "outside of what is allowed"),
            ("session.create", {"location": {"directory": str(outside)}}, "outside of what is allowed"),
            ("session.create", {"permissions": allowing}, "can outweigh what denies or asks elsewhere"),
            ("session.create", {"metadata": {"opencode-mcp": {}}}, "belongs to this MCP server"),
            ("session.update", {"permissions": [], **session}, "would replace the permission rules"),
            (
                "permission.create",
                {"action": "shell", "resources": ["ls"], "source": call, **session},
                "only OpenCode does",
            ),
            (
                "session.form.create",
                {"title": "Ask", "fields": [], "metadata": {"tool": call}, **session},
                "only OpenCode",
            ),
            ("session.interrupt", {"resume": True, **session}, "its effect is execute"),
            ("session.list", {"directory": str(outside)}, "outside of what is allowed"),
            ("session.list", {"project": "nosuch"}, "No allowed directory belongs to the project"),
            ("session.move", {"directory": str(outside), **session}, "outside of what is allowed"),
            ("session.prompt", {"text": "x", "files": [{"uri": url}], **session}, "outside of what is allowed"),
            ("session.shell", {"command": "ls", **session}, "its effect is execute"),
            ("file.list", {"path": str(outside)}, "outside of what is allowed"),
            ("file.read", {"path": "../outside/secret.txt"}, "must not climb"),
            ("shell.create", {"command": "ls"}, "its effect is execute"),
            ("credential.list", {}, "its effect is admin"),
        ]
        for operation_id, arguments, said in refused:
            assert said in await world.refusal(operation_id, **arguments), operation_id
        inside = (shared_project / "README.md").as_uri()
        files = [{"uri": inside}, {"uri": "data:text/plain;base64,aGk=", "name": "hi.txt"}]
        await world.data("session.prompt", text=script(text("Seen.")), files=files, **session)
        await world.call("session.wait", seconds=60, **session)


@pytest.mark.parametrize("conflicts", [False, True], ids=["the first one wins", "others conflict"])
async def test_another_text_under_the_id_of_a_message_is_refused(
    world: World, opencode2: OpenCode2, *, conflicts: bool
) -> None:
    opencode2.switch(same_id_conflicts=conflicts)
    try:
        for operation_id in ("session.prompt", "session.synthetic"):
            session = {"sessionID": await world.session()}
            stored: Json = {"id": f"msg_{uuid4().hex}", "resume": False, **session}
            for _ in range(2):
                assert (await world.data(operation_id, text="First.\n", **stored))["id"] == stored["id"]
            assert stored["id"] in await world.refusal(operation_id, text="Second.", **stored)
            [kept] = await world.data("session.inbox.list", **session)
            assert kept["payload"]["text"] == "First.\n"
    finally:
        opencode2.switch(same_id_conflicts=False)


async def test_what_only_a_released_opencode_2_has_is_limited_too(
    launch2: Launch, opencode2: OpenCode2, shared_project: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    async with opencode2.client() as http:
        made = await http.post("/api/session", json={"location": {"directory": str(outside)}})
        foreign = made.raise_for_status().json()["data"]["id"]
    allowing = [{"action": "shell", "resource": "*", "effect": "allow"}]
    transcript: Json = {"messages": []}
    terminal = "experimental.persistentPty.create"
    worktree = {"projectID": "nosuch"}
    refused: list[tuple[str, Json, str]] = [
        ("file.write", {"path": "../outside/new.txt", "body": "x"}, "must not climb"),
        ("file.write", {"path": str(outside / "new.txt"), "body": "x"}, "outside of what is allowed"),
        ("session.import", {"info": {"id": foreign}, **transcript}, "outside of what is allowed"),
        ("session.import", {"info": {"parentID": foreign}, **transcript}, "outside of what is allowed"),
        (
            "session.import",
            {"info": {"permissions": allowing}, **transcript},
            "can outweigh what denies or asks elsewhere",
        ),
        ("session.import", {"info": {"metadata": {}}, **transcript}, "would replace the note of this MCP server"),
        (
            "session.import",
            {"info": {"location": {"directory": str(outside)}}, **transcript},
            "outside of what is allowed",
        ),
        ("worktree.create", worktree, "No allowed directory belongs to the project"),
        ("worktree.list", worktree, "No allowed directory belongs to the project"),
        ("shell.create", {"command": "ls", "cwd": str(outside)}, "outside of what is allowed"),
        ("pty.create", {"cwd": str(outside)}, "outside of what is allowed"),
        (terminal, {"sessionID": foreign, "args": [], "title": "x", "env": {}}, "outside of what is allowed"),
        ("mcp.add", {"server": "x", "config": {"type": "remote", "url": "file:///etc/passwd"}}, "outside"),
    ]
    ids = sorted({operation_id for operation_id, _, _ in refused})
    flags = [flag for name in ids for flag in ("--allow", name)]
    async with open_bridge(launch2.with_flags(*flags)) as bridge:
        world = World(bridge, shared_project)
        for operation_id, arguments, said in refused:
            assert said in await world.refusal(operation_id, **arguments), operation_id
    assert not (outside / "new.txt").exists()


async def test_an_undo_changes_no_file_that_decides_what_runs(launch2: Launch, shared_project: Path) -> None:
    deciding = ".opencode/command/decide.md"
    async with open_bridge(launch2.with_flags(*ALLOWING)) as bridge:
        world = World(bridge, shared_project)
        session_id = await world.session()
        session = {"sessionID": session_id}
        prompt = await world.say(session_id, script(write(deciding, "Decide.\n"), text("Done.")))
        assert (shared_project / deciding).exists()
        async with open_bridge(launch2) as careful:
            limited = World(careful, shared_project)
            said = await limited.refusal("session.revert.stage", messageID=prompt, **session)
            assert "decides what OpenCode runs" in said
            await world.call("session.revert.stage", messageID=prompt, files=True, **session)
            assert not (shared_project / deciding).exists()
            assert "decides what OpenCode runs" in await limited.refusal("session.revert.clear", **session)
            assert not (shared_project / deciding).exists()


async def test_the_policy_decides_about_the_shell_lines_of_operations(launch2: Launch, shared_project: Path) -> None:
    async with open_bridge(launch2.with_flags("--allow", "execute", "--permissions", "reject")) as bridge:
        world = World(bridge, shared_project)
        session = {"sessionID": await world.session()}
        for operation_id, more in (("session.shell", session), ("shell.create", {})):
            said = await world.refusal(operation_id, command="touch never.txt", **more)
            assert "refuses the shell line" in said
    assert not (shared_project / "never.txt").exists()


async def test_an_operation_does_not_answer_what_is_for_a_person(launch2: Launch, shared_project: Path) -> None:
    async with open_bridge(launch2.with_flags("--allow", "execute", "--permissions", "human")) as bridge:
        world = World(bridge, shared_project)
        session = {"sessionID": await world.session()}
        asked = await world.data("permission.create", action="shell", resources=["ls"], agent="asking", **session)
        said = await world.refusal("permission.reply", requestID=asked["id"], decision="once", **session)
        assert "Only a person may answer this permission" in said
        await world.call("permission.reply", requestID=asked["id"], decision="reject", message="No.", **session)


async def test_a_tool_is_refused_where_only_its_operation_of_opencode_2_is_denied(launch2: Launch) -> None:
    restricted = launch2.with_flags("--deny", "session.interrupt", "--deny", "message.list", "--deny", "command.list")
    async with open_bridge(restricted) as bridge:
        names = {tool.name for tool in (await bridge.client.list_tools()).tools}
        assert {"opencode_abort", "opencode_session"} <= names
        for tool in ("opencode_abort", "opencode_session"):
            result = await bridge.call(tool, session_id="ses_1")
            assert result.is_error
            assert "is not allowed with OpenCode 2: whoever configured this MCP server denies" in text_of(result)


async def test_the_list_of_projects_has_one_that_a_pattern_lists_before_it_is_used(
    world: World, launch2: Launch, shared_project: Path
) -> None:
    await world.session()
    pattern = str(shared_project.with_name(f"{shared_project.name[:-1]}*"))
    async with open_bridge(replace(launch2, arguments=("--directory", pattern))) as bridge:
        projects = await World(bridge, shared_project).call("project.list")
    assert [item["canonical"] for item in projects] == [str(shared_project)]
