"""Setting of the cases: a bridge over stdio, an OpenCode of their own, and a project whose settings they may change."""

import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio

from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.operations import operation
from tests.harness.processes.isolation import environment, without_snapshots
from tests.harness.project import SCHEMA, SNAPSHOTS, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.oauth_mcp import OAuthServer, running_oauth_mcp
from tests.harness.servers.opencode import OpenCode, running_opencode
from tests.harness.waiting import eventually

Json = dict[str, Any]
CONFIGURED_KEY = "configured-key-4711"
SIGN_IN_URL = "https://sign-in.example/authorize?client=1"
SIGN_IN_CODE = "right-code"
PLUGIN = f"""
const method = {{
  type: "oauth", label: "Sign in",
  authorize: async () => ({{ url: {json.dumps(SIGN_IN_URL)}, instructions: "Open it", method: "code", callback }}),
}}
const callback = async (code) =>
  code === {json.dumps(SIGN_IN_CODE)} ? {{ type: "success", key: "key-of-the-sign-in" }} : {{ type: "failed" }}
export const SignIn = async () => ({{ auth: {{ provider: "anthropic", methods: [method] }} }})
"""
ECHO = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("echo")
@server.tool()
def echo(text: str) -> str:
    "Say it again."
    return text
server.run("stdio")
"""


@dataclass(frozen=True, slots=True)
class World:
    """Bridge, OpenCode and project of a case."""

    bridge: Bridge
    launch: Launch
    server: OpenCode
    model: ScriptedModel
    oauth: OAuthServer
    project: Path
    tracked: Path
    """Another project, of which OpenCode knows what each run changes."""
    data: Path
    """OpenCode's own data."""
    config: Path
    """OpenCode's own configuration."""

    async def page(self, operation_id: str, /, **arguments: object) -> Json:
        """Call an operation with the tool for its effect, and return the whole result."""
        return data_of(await self.bridge.call(_tool(operation_id), operation=operation_id, arguments=arguments))

    async def call(self, operation_id: str, /, **arguments: object) -> Any:  # noqa: ANN401 - any JSON value
        """The same, but return OpenCode's reply alone."""
        return (await self.page(operation_id, **arguments))["reply"]

    async def notes(self, operation_id: str, /, **arguments: object) -> str:
        """The same, but return what the bridge says of the reply."""
        return " ".join((await self.page(operation_id, **arguments)).get("notes", []))

    async def refusal(self, operation_id: str, /, **arguments: object) -> str:
        """Call an operation that must fail, and return the text for the model."""
        result = await self.bridge.call(_tool(operation_id), operation=operation_id, arguments=arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    async def session(self, title: str = "Case", **place: str) -> str:
        """The id of a new session, in which bash must ask; ``directory`` names another project than the usual one."""
        rules = [{"permission": "bash", "pattern": "*", "action": "ask"}]
        return (await self.call("session.create", title=title, permission=rules, **place))["id"]

    async def say(self, session_id: str, prompt: str, **place: str) -> Json:
        """Prompt a session and wait for the answer."""
        parts = [{"type": "text", "text": prompt}]
        return await self.call("session.prompt", sessionID=session_id, parts=parts, **place)

    async def start(self, session_id: str, prompt: str) -> None:
        """Prompt a session without waiting."""
        await self.call("session.prompt_async", sessionID=session_id, parts=[{"type": "text", "text": prompt}])

    async def pending(self, operation_id: str, session_id: str) -> Json:
        """The request that a session waits with, once it does."""

        async def look() -> list[Json]:
            found = cast("list[Json]", await self.call(operation_id))
            return [item for item in found if item["sessionID"] == session_id]

        return (await eventually(look))[0]

    async def idle(self, session_id: str) -> None:
        """Wait until a session does nothing."""

        async def look() -> bool:
            return session_id not in await self.call("session.status")

        await eventually(look)

    async def seen(self, act: Callable[[], Awaitable[object]], until: str, stream: str = "event.subscribe") -> Json:
        """Do something while listening to events, and return the one that was waited for."""
        events: list[Json] = []

        async def listen() -> None:
            reply = await self.call(stream, until=until, types=[until], seconds=30)
            events.extend(reply["events"])
            tasks.cancel_scope.cancel()

        async def repeat() -> None:
            # Nothing reports when the stream is connected, and an event before that is lost.
            while True:
                await act()
                await anyio.sleep(0.3)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            tasks.start_soon(repeat)
        return events[-1]


def _tool(operation_id: str) -> str:
    return "opencode_read_operation" if operation(operation_id).effect == "read" else "opencode_call_operation"


@asynccontextmanager
async def make_world(folder: Path, model: ScriptedModel) -> AsyncGenerator[World]:
    """Start all that the cases need, below a folder."""
    project, tracked = make_project(folder / "project"), folder / "tracked"
    tracked.mkdir()
    # In its first commit, by which OpenCode knows the two projects apart.
    (tracked / "opencode.json").write_text(json.dumps({**SCHEMA, **SNAPSHOTS}), encoding="utf-8")
    make_project(tracked)
    (folder / "echo.py").write_text(ECHO, encoding="utf-8")
    variables = _opencode_environment(folder, model)
    with running_oauth_mcp() as oauth, running_opencode(variables, folder / "opencode.log") as server:
        launch = attaching(folder, model, server, project).with_flags(
            "--directory", str(tracked), "--allow", "execute,admin", "--permissions", "agent", "--log-level", "DEBUG"
        )
        async with open_bridge(launch) as bridge:
            data, config = folder / "data" / "opencode", folder / "config" / "opencode"
            yield World(bridge, launch, server, model, oauth, project, tracked, data, config)


def _opencode_environment(folder: Path, model: ScriptedModel) -> dict[str, str]:
    """An OpenCode that may share, has workspaces, and takes a plugin without asking the network for anything."""
    (folder / "plugin.js").write_text(PLUGIN, encoding="utf-8")
    config = {
        "share": "manual",
        "plugin": [(folder / "plugin.js").as_uri()],
        "mcp": {
            "configured": {
                "type": "local",
                "command": ["true"],
                "enabled": False,
                "environment": {"KEY": CONFIGURED_KEY},
            }
        },
    }
    variables = environment(folder, model.url, config)
    without_snapshots(variables)
    for name in ("OPENCODE_PURE", "OPENCODE_DISABLE_SHARE"):
        del variables[name]
    _pretend_installed(folder / "config" / "opencode")
    return variables | {"OPENCODE_EXPERIMENTAL_WORKSPACES": "1"}


def _pretend_installed(folder: Path) -> None:
    """Have there what OpenCode would install for plugins, so that it does not try."""
    name, version = "@opencode-ai/plugin", "1.18.33"
    package = folder / "node_modules" / name
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": name, "version": version, "main": "index.js"}))
    (package / "index.js").write_text("")
    (folder / "package.json").write_text(json.dumps({"dependencies": {name: version}}))
    packages = {"": {"dependencies": {name: version}}, f"node_modules/{name}": {"version": version}}
    lock = {"name": "opencode", "lockfileVersion": 3, "requires": True, "packages": packages}
    (folder / "package-lock.json").write_text(json.dumps(lock))


def echo_server(world: World) -> Json:
    """The settings of a local MCP server that works."""
    return {"type": "local", "command": [sys.executable, str(world.project.parent / "echo.py")], "timeout": 30_000}
