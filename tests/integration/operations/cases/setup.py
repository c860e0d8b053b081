"""Cases of configuration, providers, MCP servers and the server itself."""

import json
from functools import partial
from typing import Any

from opencode_mcp.secrets.own_passwords import MARK
from tests.harness.bridges.bridge import data_of
from tests.harness.servers.oauth_mcp import CODE
from tests.harness.servers.opencode import free_port
from tests.harness.waiting import eventually
from tests.integration.operations.cases.case import case
from tests.integration.operations.world import CONFIGURED_KEY, SIGN_IN_CODE, SIGN_IN_URL, World, echo_server
from tests.scripted_model.script import script, text

KEY = "key-that-was-set-by-the-test"
UNKNOWN_SERVER: dict[str, Any] = {"name": "nosuchserver"}


def stored_credentials(world: World) -> str:
    path = world.data / "auth.json"
    return path.read_text(encoding="utf-8") if path.exists() else ""


@case("app.agents")
async def agents(world: World) -> None:
    assert {"build", "plan"} <= {item["name"] for item in await world.call("app.agents")}


@case("app.skills")
async def skills(world: World) -> None:
    assert all(item["name"] and item["content"] for item in await world.call("app.skills"))


@case(
    "app.log", {"service": "test", "level": "loud", "message": "x"}, "`level` must be one of debug, info, error, warn"
)
async def log(world: World) -> None:
    line = "a line of the test"
    assert await world.call("app.log", service="test", level="error", message=line) is True

    async def look() -> bool:
        return any(line in path.read_text(encoding="utf-8") for path in (world.data / "log").glob("*.log"))

    await eventually(look)


@case("command.list")
async def commands(world: World) -> None:
    assert "init" in {item["name"] for item in await world.call("command.list")}


@case("tool.ids")
async def tool_ids(world: World) -> None:
    assert {"bash", "edit", "read"} <= set(await world.call("tool.ids"))


@case("tool.list", {"provider": "scripted"}, "`model` is missing")
async def tools(world: World) -> None:
    found = await world.call("tool.list", provider="scripted", model="m1")
    assert "bash" in {item["id"] for item in found}


@case("config.get")
async def config(world: World) -> None:
    found = await world.call("config.get")
    assert found["model"] == "scripted/m1"
    assert found["provider"]["scripted"]["options"]["apiKey"] == MARK
    assert found["mcp"]["configured"]["environment"] == {"KEY": MARK}
    assert CONFIGURED_KEY not in json.dumps(found)


@case("config.update", {"share": "sometimes"}, "`share` must be one of manual, auto, disabled")
async def update_config(world: World) -> None:
    await world.call("config.update", username="somebody")
    written = world.project / "config.json"
    assert json.loads(written.read_text(encoding="utf-8"))["username"] == "somebody"
    written.unlink()


@case("config.providers")
async def configured_providers(world: World) -> None:
    (found,) = [item for item in (await world.call("config.providers"))["providers"] if item["id"] == "scripted"]
    assert found["options"]["apiKey"] == MARK
    assert found["options"]["baseURL"] == f"{world.model.url}/v1"


@case("global.config.get")
async def global_config(world: World) -> None:
    await world.call("global.config.update", username="global-somebody")
    assert (await world.call("global.config.get"))["username"] == "global-somebody"


@case("global.config.update", {"usrname": "x"}, "no argument `usrname`; did you mean `username`")
async def update_global_config(world: World) -> None:
    provider = {"extra": {"name": "Extra", "options": {"apiKey": KEY, "baseURL": "http://127.0.0.1:9/v1"}}}
    reply = await world.call("global.config.update", provider=provider)
    assert reply["provider"]["extra"]["options"]["apiKey"] == MARK
    written = "".join(path.read_text(encoding="utf-8") for path in world.config.glob("opencode.json*"))
    assert KEY in written


@case("provider.list")
async def providers(world: World) -> None:
    found = await world.call("provider.list")
    assert "scripted" in found["connected"]
    assert {item["id"] for item in found["all"]} == {"anthropic", "scripted"}


@case("provider.auth")
async def provider_auth(world: World) -> None:
    assert [item["label"] for item in (await world.call("provider.auth"))["anthropic"]] == ["Sign in"]


@case("auth.set", {"providerID": "a/b", "body": {"type": "api", "key": KEY}}, "`providerID` must not hold a slash")
async def set_key(world: World) -> None:
    assert await world.call("auth.set", providerID="kept", body={"type": "api", "key": KEY}) is True
    assert json.loads(stored_credentials(world))["kept"] == {"type": "api", "key": KEY}
    error = await world.refusal("auth.set", providerID="kept", body={"type": "api", "key": [KEY]})
    assert "`body.key` must be a text" in error
    assert KEY not in error


@case("auth.remove", {}, "`providerID` is missing")
async def remove_key(world: World) -> None:
    await world.call("auth.set", providerID="dropped", body={"type": "api", "key": KEY})
    assert await world.call("auth.remove", providerID="dropped") is True
    assert "dropped" not in stored_credentials(world)


@case("provider.oauth.authorize", {"providerID": "anthropic", "method": "first"}, "`method` must be a number")
async def authorize(world: World) -> None:
    arguments = {"providerID": "anthropic", "method": 0}
    result = await world.bridge.call(
        "opencode_call_operation", operation="provider.oauth.authorize", arguments=arguments
    )
    data = data_of(result)
    assert data["reply"]["url"] == SIGN_IN_URL
    assert f"Give this address to the person, to open in a browser: {SIGN_IN_URL}." in data["notes"][0]
    error = await world.refusal("provider.oauth.authorize", providerID="scripted", method=0)
    assert "OpenCode failed at provider.oauth.authorize" in error


@case("provider.oauth.callback", {"providerID": "anthropic", "method": 7, "code": 5}, "`code` must be a text")
async def callback(world: World) -> None:
    await world.call("provider.oauth.authorize", providerID="anthropic", method=0)
    error = await world.refusal("provider.oauth.callback", providerID="anthropic", method=0, code="wrong-code")
    assert "wrong-code" not in error
    await world.call("provider.oauth.authorize", providerID="anthropic", method=0)
    assert await world.call("provider.oauth.callback", providerID="anthropic", method=0, code=SIGN_IN_CODE) is True
    assert "key-of-the-sign-in" in stored_credentials(world)
    await world.call("auth.remove", providerID="anthropic")


@case("mcp.add", {"name": "x", "config": {"type": "nearby"}}, "`config.type` must be one of local, remote")
async def add_server(world: World) -> None:
    reply = await world.call("mcp.add", name="echo", config=echo_server(world))
    assert reply["echo"] == {"status": "connected"}
    # OpenCode leaves it to the next prompt to offer the tool.
    session = await world.session()
    await world.say(session, script(text("Hello.")))
    offered = {name for asked in await world.model.requests(session) for name in asked["tools"]}
    assert "echo_echo" in offered


@case("mcp.status")
async def server_status(world: World) -> None:
    assert (await world.call("mcp.status"))["configured"] == {"status": "disabled"}


@case("mcp.connect", UNKNOWN_SERVER, "nosuchserver")
async def connect_server(world: World) -> None:
    await world.call("mcp.add", name="again", config=echo_server(world))
    await world.call("mcp.disconnect", name="again")
    assert await world.call("mcp.connect", name="again") is True
    assert (await world.call("mcp.status"))["again"] == {"status": "connected"}


@case("mcp.disconnect", UNKNOWN_SERVER, "nosuchserver")
async def disconnect_server(world: World) -> None:
    await world.call("mcp.add", name="leaving", config=echo_server(world))
    assert await world.call("mcp.disconnect", name="leaving") is True
    assert (await world.call("mcp.status"))["leaving"] == {"status": "disabled"}


async def add_remote(world: World, name: str) -> None:
    config = {"type": "remote", "url": world.oauth.url, "timeout": 30_000, "oauth": {"callbackPort": free_port()}}
    reply = await world.call("mcp.add", name=name, config=config)
    assert reply[name]["status"] in {"needs_auth", "connected"}


@case("mcp.auth.start", UNKNOWN_SERVER, "nosuchserver")
async def start_sign_in(world: World) -> None:
    await add_remote(world, "remote-start")
    reply = await world.call("mcp.auth.start", name="remote-start")
    assert reply["authorizationUrl"].startswith(world.oauth.url.replace("/mcp", "/authorize"))
    await world.call("mcp.add", name="plain", config=echo_server(world))
    assert "does not support OAuth" in await world.refusal("mcp.auth.start", name="plain")


@case("mcp.auth.callback", {"name": "remote"}, "`code` is missing")
async def finish_sign_in(world: World) -> None:
    await add_remote(world, "remote-finish")
    await world.call("mcp.auth.start", name="remote-finish")
    assert await world.call("mcp.auth.callback", name="remote-finish", code=CODE) == {"status": "connected"}


@case("mcp.auth.authenticate", {"name": "x", "seconds": 9999}, "`seconds` must be 300 or less")
async def authenticate(world: World) -> None:
    await add_remote(world, "remote-browser")
    assert "Nobody signed in within 1 s." in await world.notes(
        "mcp.auth.authenticate", name="remote-browser", seconds=1
    )
    await world.call("mcp.add", name="plain", config=echo_server(world))
    assert "does not support OAuth" in await world.refusal("mcp.auth.authenticate", name="plain")


@case("mcp.auth.remove", UNKNOWN_SERVER, "nosuchserver")
async def sign_out(world: World) -> None:
    await add_remote(world, "remote-out")
    await world.call("mcp.auth.start", name="remote-out")
    await world.call("mcp.auth.callback", name="remote-out", code=CODE)
    stored = world.data / "mcp-auth.json"
    assert "remote-out" in stored.read_text(encoding="utf-8")
    assert await world.call("mcp.auth.remove", name="remote-out") == {"success": True}
    assert "remote-out" not in stored.read_text(encoding="utf-8")


@case("experimental.resource.list")
async def resources(world: World) -> None:
    assert await world.call("experimental.resource.list") == {}


@case("lsp.status")
async def lsp(world: World) -> None:
    assert await world.call("lsp.status") == []


@case("formatter.status")
async def formatters(world: World) -> None:
    assert await world.call("formatter.status") == []


@case("global.health")
async def health(world: World) -> None:
    assert (await world.call("global.health"))["healthy"] is True


@case("global.upgrade", {}, "`target` is missing")
async def upgrade(world: World) -> None:
    assert "Unknown installation method" in await world.refusal("global.upgrade", target="1.0.0")


async def finds_back(world: World) -> None:
    """A run after everything was dropped: the hub must get the event of its end."""
    result = await world.bridge.call("opencode_run", prompt=script(text("Still here.")), wait_seconds=60)
    data = data_of(result)
    assert (data["status"], data["text"]) == ("completed", "Still here.")


@case("global.dispose")
async def dispose_all(world: World) -> None:
    event = await world.seen(partial(world.call, "global.dispose"), "global.disposed", "global.event")
    assert event["payload"]["type"] == "global.disposed"
    await finds_back(world)


@case("instance.dispose")
async def dispose(world: World) -> None:
    event = await world.seen(partial(world.call, "instance.dispose"), "server.instance.disposed")
    assert event["properties"]["directory"] == str(world.project)
    await finds_back(world)
