"""Replies of operations that read the same on both generations of OpenCode."""

import pytest

from tests.integration.host import Host

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


async def test_one_field_of_each_row_is_selected_in_the_same_way(host: Host) -> None:
    whole = await host.text("opencode_read_operation", operation="command.list")
    found = await host.data("opencode_read_operation", operation="command.list", select="[].name")
    assert "init" in found["reply"]
    assert all(name in whole for name in found["reply"])
    counted = await host.data("opencode_read_operation", operation="command.list", select="length(@)")
    assert counted["reply"] == len(found["reply"])
    after = await host.error("opencode_read_operation", operation="command.list", select="[].name", offset=1000)
    assert f"The offset 1000 is after the end; items in all: {counted['reply']}." in after


async def test_no_mcp_server_is_said_in_words(host: Host, opencode_generation: int) -> None:
    operation = "mcp.status" if opencode_generation == 1 else "mcp.list"
    text = await host.text("opencode_read_operation", operation=operation)
    assert "\nNo MCP server is loaded. " in text
