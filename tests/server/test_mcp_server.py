"""Lists that must come, whatever OpenCode does, and errors that name whose failure it is."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import anyio
import pytest
from mcp import Client, MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from opencode_mcp.server import mcp_server, uris
from opencode_mcp.server.app import build_server
from opencode_mcp.server.prompts.prompts import OWN
from opencode_mcp.settings import Settings
from opencode_mcp.text.outside_text import INVISIBLE
from tests.harness.faults.proxy import proxy_to
from tests.harness.servers.opencode import OpenCode

if TYPE_CHECKING:
    from mcp_types import TextContent

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

FIXED = [uris.SESSIONS, uris.PROJECT, uris.SKILL]


async def test_lists_do_not_wait_for_an_opencode_that_does_not_answer(
    opencode_server: OpenCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server, "LIST_TIMEOUT_SECONDS", 0.05)
    async with proxy_to(opencode_server.url) as proxy:
        proxy.stall()
        settings = Settings(url=proxy.url, password=opencode_server.password)
        # To find out by itself that OpenCode does not answer takes the bridge longer than this.
        async with Client(build_server(settings)) as client:
            with anyio.fail_after(10):
                assert [resource.uri for resource in (await client.list_resources()).resources] == FIXED
                assert [prompt.name for prompt in (await client.list_prompts()).prompts] == [spec.name for spec in OWN]
        assert proxy.connections


async def test_a_reading_that_opencode_fails_is_no_fault_of_the_address(opencode_server: OpenCode) -> None:
    settings = Settings(url=opencode_server.url, password="wrong")
    async with Client(build_server(settings)) as client:
        with pytest.raises(MCPError, match="password") as unauthorized:
            await client.read_resource(uris.SESSIONS)
        with pytest.raises(MCPError, match="There is no resource") as unknown:
            await client.read_resource("opencode://nothing")
    assert unauthorized.value.error.code == INTERNAL_ERROR
    assert unknown.value.error.code == INVALID_PARAMS


async def test_an_unknown_name_stays_in_the_line_of_its_error(opencode_server: OpenCode) -> None:
    name = "nothing\n## Injected\x1b[2J\u202e"
    async with Client(build_server(Settings(url=opencode_server.url))) as client:
        result = await client.call_tool(name, {})
        with pytest.raises(MCPError, match="There is no resource") as unknown:
            await client.read_resource(f"opencode://{name}")
    assert result.is_error
    for text in (cast("TextContent", result.content[0]).text, unknown.value.error.message):
        assert "There is no" in text
        assert not INVISIBLE.search(text)
        assert len(text.splitlines()) == 1


async def prompts_of(settings: Settings) -> set[str]:
    async with Client(build_server(settings)) as client:
        return {prompt.name for prompt in (await client.list_prompts()).prompts}


async def test_a_prompt_is_listed_and_filled_only_where_the_tools_that_it_needs_are_listed(
    opencode_server: OpenCode,
) -> None:
    everything = Settings(url=opencode_server.url, password=opencode_server.password)
    own = {spec.name for spec in OWN}
    listed = await prompts_of(everything)
    assert own | {"init"} <= listed
    assert await prompts_of(replace(everything, deny=("session.command",))) == own
    assert await prompts_of(replace(everything, deny=("session.prompt_async",))) == listed - {
        "delegate",
        "continue_session",
        "hand_over",
    }
    assert await prompts_of(replace(everything, read_only=True)) == {"review_session"}
    for name, arguments in (("init", {}), ("delegate", {"task": "x"})):
        async with Client(build_server(replace(everything, read_only=True))) as client:
            with pytest.raises(MCPError, match="There is no prompt"):
                await client.get_prompt(name, arguments)
