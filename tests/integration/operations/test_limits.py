"""The operator's limits hold on the wire: read-only, denials, leave, rights, and lists that never change."""

import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError
from mcp_types import ResourceTemplateReference

from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.server.operations.operation_tool import tool_name
from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch
from tests.harness.each import for_each
from tests.harness.operations import operations
from tests.harness.servers.model import ScriptedModel
from tests.scripted_model.script import hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOT_READING = [item for item in operations().values() if item.effect != "read"]


async def refusal(bridge: Bridge, tool: str, /, **arguments: object) -> str:
    result = await bridge.call(tool, **arguments)
    assert result.is_error, text_of(result)
    return text_of(result)


async def call(bridge: Bridge, operation_id: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON value
    result = await bridge.call("opencode_call_operation", operation=operation_id, arguments=arguments)
    return data_of(result)["reply"]


async def test_read_only_refuses_every_write_in_every_way(launch: Launch) -> None:
    restricted = launch.with_flags("--read-only", "--toolsets", "all", "--allow", "write,execute,admin")
    async with open_bridge(restricted) as bridge:
        listed = (await bridge.client.list_tools()).tools
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed)
        names = {tool.name for tool in listed}
        for item in NOT_READING:
            assert tool_name(item.id) not in names
            assert "There is no tool" in await refusal(bridge, tool_name(item.id))
            said = await refusal(bridge, "opencode_read_operation", operation=item.id, arguments={})
            assert "does not only read" in said
            assert "There is no tool" in await refusal(
                bridge, "opencode_call_operation", operation=item.id, arguments={}
            )
        found = data_of(await bridge.call("opencode_find_operations", query="", limit=200))["operations"]
        assert {hit["effect"] for hit in found} == {"read"}
        for tool in ("opencode_run", "opencode_abort", "opencode_reply_permission", "opencode_reply_question"):
            assert "There is no tool" in await refusal(bridge, tool)


async def test_by_default_what_executes_or_administers_is_refused_and_says_what_it_takes(launch: Launch) -> None:
    async with open_bridge(launch) as bridge:
        for item in NOT_READING:
            if item.effect == "write":
                continue
            said = await refusal(bridge, "opencode_call_operation", operation=item.id, arguments={})
            assert f"{item.id} is not allowed here: its effect is {item.effect}." in said
            assert f"--allow {item.id}" in said


async def test_a_denied_operation_is_refused_and_others_of_its_effect_are_not(launch: Launch) -> None:
    async with open_bridge(launch.with_flags("--deny", "session.delete", "--allow", "session.delete")) as bridge:
        made = await call(bridge, "session.create", title="Kept")
        said = await refusal(
            bridge, "opencode_call_operation", operation="session.delete", arguments={"sessionID": made["id"]}
        )
        assert "this MCP server denies session.delete" in said
        await call(bridge, "session.update", sessionID=made["id"], title="Still here")


async def test_a_denied_effect_takes_the_tools_that_have_it_along(launch: Launch) -> None:
    async with open_bridge(launch.with_flags("--deny", "execute", "--allow", "execute")) as bridge:
        names = {tool.name for tool in (await bridge.client.list_tools()).tools}
        assert "opencode_read_file" in names
        for tool in ("opencode_run", "opencode_command", "opencode_shell", "opencode_reply_permission"):
            assert tool not in names
            assert "There is no tool" in await refusal(bridge, tool)


async def test_what_may_not_be_read_is_no_resource_and_no_completion_either(launch: Launch) -> None:
    async with open_bridge(launch.with_flags("--deny", "file.read,find.files")) as bridge:
        templates = (await bridge.client.list_resource_templates()).resource_templates
        assert "opencode://session/{id}" in {template.uri_template for template in templates}
        assert not any("opencode://file" in template.uri_template for template in templates)
        with pytest.raises(MCPError, match="There is no resource"):
            await bridge.client.read_resource("opencode://file/README.md")
        ref = ResourceTemplateReference(type="ref/resource", uri="opencode://file/{+path}{?directory}")
        found = await bridge.client.complete(ref, {"name": "path", "value": "READ"})
        assert found.completion.values == []


async def test_the_environment_says_the_same_as_the_flags(launch: Launch) -> None:
    variables = {"OPENCODE_MCP_DENY": "session.create", "OPENCODE_MCP_TOOLSETS": "vcs"}
    async with open_bridge(launch.within(**variables)) as bridge:
        names = [tool.name for tool in (await bridge.client.list_tools()).tools]
        every = [item for table in TABLES.values() for item in table.operations.values()]
        listed = {item.id for item in every if item.group == "vcs" and item.effect != "execute"}
        assert names == [tool_name(name) for name in sorted(listed)]
    async with open_bridge(launch.within(OPENCODE_MCP_READ_ONLY="on")) as bridge:
        assert "There is no tool" in await refusal(bridge, "opencode_call_operation")


@for_each(("flag", "value"), [("--toolsets", "sesions"), ("--allow", "execcute"), ("--deny", "session.delet")])
def test_a_typing_error_ends_the_bridge_before_it_serves(launch: Launch, flag: str, value: str) -> None:
    command = launch.with_flags(flag, value).command
    done = subprocess.run(  # noqa: S603 - the test's own arguments
        command, env=dict(launch.environment), check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert f"{flag} names {value!r}" in done.stderr
    assert "Did you mean" in done.stderr


async def test_two_bridges_list_the_same_tools_in_the_same_order(launch: Launch) -> None:
    listed: list[str] = []
    for _ in range(2):
        async with open_bridge(launch.with_flags("--toolsets", "all", "--allow", "execute,admin")) as bridge:
            tools = (await bridge.client.list_tools()).tools
            listed.append(json.dumps([tool.model_dump(mode="json") for tool in tools]))
    assert listed[0] == listed[1]


async def test_an_operation_as_a_tool_of_its_own_does_the_same(launch: Launch) -> None:
    async with open_bridge(launch.with_flags("--toolsets", "default,sessions")) as bridge:
        made = data_of(await bridge.call("opencode_op_session_create", title="By its own tool"))["reply"]
        read = data_of(await bridge.call("opencode_op_session_get", sessionID=made["id"]))["reply"]
        assert read["title"] == "By its own tool"
        assert "`title` must be a text" in await refusal(bridge, "opencode_op_session_create", title=5)
        assert "There is no tool" in await refusal(bridge, "opencode_op_session_share", sessionID=made["id"])


RIGHTS: list[tuple[str, dict[str, object]]] = [
    ("session.create", {"permission": [{"permission": "bash", "pattern": "*", "action": "allow"}]}),
    ("session.update", {"permission": [{"permission": "*", "pattern": "*", "action": "allow"}]}),
    ("session.prompt", {"tools": {"bash": True}, "parts": []}),
    ("session.prompt_async", {"tools": {"bash": False, "edit": True}, "parts": []}),
]


@pytest.mark.parametrize(("operation_id", "arguments"), RIGHTS, ids=[name for name, _ in RIGHTS])
async def test_a_call_cannot_widen_an_agents_rights(
    launch: Launch, operation_id: str, arguments: dict[str, object]
) -> None:
    async with open_bridge(launch.with_flags("--allow", "execute")) as bridge:
        made = await call(bridge, "session.create")
        session = {} if operation_id == "session.create" else {"sessionID": made["id"]}
        refused = partial(refusal, bridge, "opencode_call_operation", operation=operation_id)
        assert "can outweigh what denies or asks elsewhere" in await refused(arguments={**arguments, **session})


async def test_a_call_may_take_rights_away_and_the_operator_may_allow_to_give_them(launch: Launch) -> None:
    parts = [{"type": "text", "text": "Hello"}]
    async with open_bridge(launch.with_flags("--allow", "execute")) as bridge:
        made = await call(bridge, "session.create")
        await call(bridge, "session.prompt", sessionID=made["id"], tools={"bash": False}, parts=parts)
    async with open_bridge(launch.with_flags("--allow", "execute", "--allow", "admin")) as bridge:
        rules = [{"permission": "bash", "pattern": "*", "action": "allow"}]
        assert (await call(bridge, "session.create", permission=rules))["permission"] == rules


async def test_the_text_of_a_command_runs_nothing_that_its_caller_may_not(launch: Launch, project: Path) -> None:
    marker = project / "marker.txt"
    text = {"command": "init", "arguments": f"Hello !`touch {marker}`"}
    async with open_bridge(launch.with_flags("--allow", "session.command")) as bridge:
        made = await call(bridge, "session.create")
        asked = {"sessionID": made["id"], **text}
        said = await refusal(bridge, "opencode_call_operation", operation="session.command", arguments=asked)
        assert "session.shell is not allowed here" in said
        assert not await anyio.Path(marker).exists()
    async with open_bridge(launch.with_flags("--allow", "execute")) as bridge:
        await call(bridge, "session.command", **asked)
        assert await anyio.Path(marker).exists()


async def test_a_run_names_no_tool_that_is_denied(launch: Launch, scripted_model: ScriptedModel) -> None:
    held = script(step(hold("limits-1"), text("Through.")))
    async with open_bridge(launch.with_flags("--deny", "session.abort")) as bridge:
        started = await bridge.call("opencode_run", prompt=held, wait_seconds=0)
        session = data_of(started)["session_id"]
        await scripted_model.reached("limits-1")
        busy = await bridge.call("opencode_run", prompt="More.", session_id=session)
        assert busy.is_error
        for result in (started, busy):
            assert "opencode_wait" in text_of(result)
            assert "opencode_abort" not in text_of(result)
        assert "opencode_abort" not in data_of(started)["next"]
        await scripted_model.release("limits-1")
        assert data_of(await bridge.call("opencode_wait", session_id=session))["text"] == "Through."
