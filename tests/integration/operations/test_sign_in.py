"""An address for a person to open is shown to the person, where the host can, and else given to the caller."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.rawrpc import Host, RawClient, open_raw
from tests.harness.servers.oauth_mcp import OAuthServer, running_oauth_mcp
from tests.harness.servers.opencode import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SHOWS_ADDRESSES = Host(capabilities={"elicitation": {"url": {}}})
SHOWS_FORMS = Host(capabilities={"elicitation": {"form": {}}})


@pytest.fixture(scope="module")
def oauth() -> Iterator[OAuthServer]:
    with running_oauth_mcp() as server:
        yield server


async def start(client: RawClient, oauth: OAuthServer) -> int:
    """Begin to sign in at a server under a name of its own: OpenCode remembers who has begun."""
    port = free_port()
    config = {"type": "remote", "url": oauth.url, "timeout": 30_000, "oauth": {"callbackPort": port}}
    added = {"name": f"remote-{port}", "config": config}
    await client.call("opencode_call_operation", operation="mcp.add", arguments=added)
    asked = {"operation": "mcp.auth.start", "arguments": {"name": added["name"]}}
    return await client.send("tools/call", {"name": "opencode_call_operation", "arguments": asked})


def notes_of(reply: dict[str, Any]) -> str:
    assert not reply["result"].get("isError"), reply
    return " ".join(reply["result"]["structuredContent"]["notes"])


@pytest.mark.parametrize(
    ("action", "said"), [("accept", "The person was shown the address and agreed."), ("decline", "Declined. Give this")]
)
async def test_a_host_that_shows_addresses_is_asked_to(
    launch: Launch, oauth: OAuthServer, action: str, said: str
) -> None:
    async with open_raw(launch.with_flags("--allow", "admin"), SHOWS_ADDRESSES) as client:
        number = await start(client, oauth)
        asked = await client.message("elicitation/create")
        assert asked["params"]["mode"] == "url"
        assert asked["params"]["url"].startswith(oauth.url.replace("/mcp", "/authorize"))
        assert "127.0.0.1" in asked["params"]["message"]
        await client.respond(asked, {"action": action})
        notes = notes_of(await client.reply(number))
    assert said in notes
    assert "Then call mcp.auth.callback with the code." in notes


@pytest.mark.parametrize("host", [SHOWS_FORMS, Host(), Host("2026-07-28", capabilities={"elicitation": {"url": {}}})])
async def test_any_other_host_gets_the_address_for_the_person(launch: Launch, oauth: OAuthServer, host: Host) -> None:
    async with open_raw(launch.with_flags("--allow", "admin"), host) as client:
        notes = notes_of(await client.reply(await start(client, oauth)))
        assert client.messages("elicitation/create") == []
    assert f"Give this address to the person, to open in a browser: {oauth.url.replace('/mcp', '/authorize')}" in notes
