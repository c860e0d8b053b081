"""An operation is found with all that a caller needs, and a long reply is read piece by piece."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.harness.bridges.bridge import Bridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import attaching
from tests.harness.operations import operations
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.scripted_model.script import script, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture(scope="module")
async def connected(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> AsyncGenerator[Bridge]:
    """A bridge for all tests of this module."""
    project = make_project(tmp_path_factory.mktemp("project"))
    launch = attaching(tmp_path_factory.mktemp("bridge"), scripted_model, opencode_server, project)
    async with open_bridge(launch) as bridge:
        yield bridge


async def find(bridge: Bridge, **arguments: object) -> list[dict[str, Any]]:
    return data_of(await bridge.call("opencode_find_operations", **arguments))["operations"]


async def test_a_hit_says_what_it_does_what_it_takes_and_how_it_is_called(connected: Bridge) -> None:
    hit = (await find(connected, query="rename session"))[0]
    assert (hit["id"], hit["effect"], hit["group"], hit["allowed"]) == ("session.update", "write", "sessions", True)
    assert hit["arguments"].startswith('{sessionID: "ses…", title?: string')
    assert hit["call"] == "opencode_call_operation"
    assert "milliseconds" in hit["note"]


async def test_a_hit_that_is_not_allowed_says_so(connected: Bridge) -> None:
    hit = (await find(connected, query="session.shell"))[0]
    assert hit["allowed"] is False
    result = await connected.call("opencode_find_operations", query="session.shell", limit=1)
    assert "session.shell (execute, not allowed here)" in text_of(result)


async def test_the_bridges_own_arguments_are_shown_and_those_it_fills_in_are_not(connected: Bridge) -> None:
    hit = (await find(connected, query="pty.connect"))[0]
    assert "wait_for?: string" in hit["arguments"]
    assert "ticket" not in hit["arguments"]
    assert "The reply is {output, " in hit["note"]
    assert "replies" not in hit, "OpenCode's own reply is not what the call returns"


async def test_all_of_a_group_are_listed_without_words(connected: Bridge) -> None:
    found = await find(connected, group="vcs", limit=200)
    everything = await find(connected, limit=200)
    assert [hit["id"] for hit in found] == [item.id for item in operations().values() if item.group == "vcs"]
    assert {hit["id"] for hit in everything} == set(operations()), "a long list is one in short, and whole"


async def test_a_list_in_short_says_how_arguments_are_shown(connected: Bridge) -> None:
    result = await connected.call("opencode_find_operations", limit=200)
    output = text_of(result)
    assert "session.shell (execute, not allowed here): " in output
    assert "A query, a group or a smaller limit shows" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"group": "sesions"}, "They are sessions, messages"), ({"effect": "run"}, "They are read, write")],
)
async def test_a_group_that_there_is_not_names_those_that_there_are(
    connected: Bridge, arguments: dict[str, str], said: str
) -> None:
    result = await connected.call("opencode_find_operations", **arguments)
    assert result.is_error
    assert said in text_of(result)


async def test_nothing_found_says_what_to_try(connected: Bridge) -> None:
    result = await connected.call("opencode_find_operations", query="xylophone")
    assert text_of(result) == "No operation fits. Try other words, or none with a group."


async def test_an_unknown_operation_names_similar_ones(connected: Bridge) -> None:
    result = await connected.call("opencode_call_operation", operation="session.updat", arguments={})
    assert result.is_error
    assert "Did you mean session.update" in text_of(result)
    assert "opencode_find_operations" in text_of(result)
    renamed = text_of(await connected.call("opencode_call_operation", operation="session.rename", arguments={}))
    assert "Did you mean session.update? The tool opencode_update_session does the same." in renamed


async def test_a_long_reply_is_cut_and_can_be_read_to_its_end(connected: Bridge) -> None:
    long = " ".join(f"word{number}" for number in range(12_000))
    run = data_of(await connected.call("opencode_run", prompt=script(text(long)), wait_seconds=60))
    asked = {"sessionID": run["session_id"], "messageID": await answer_of(connected, run["session_id"])}
    first = await connected.call("opencode_read_operation", operation="session.message", arguments=asked)
    page = data_of(first)
    assert len(json.dumps(page["reply"])) < 8500
    (at,) = [cut["at"] for cut in page["cut"] if cut["of"] == len(long)]
    notes = " ".join(page["notes"])
    assert f'select="{at}"' in notes
    assert "The whole reply has the form {info: {" in notes
    read = ""
    while len(read) < len(long):
        piece = data_of(
            await connected.call(
                "opencode_read_operation",
                operation="session.message",
                arguments=asked,
                select=at,
                offset=len(read),
            )
        )
        read += piece["reply"].removesuffix("…")
    assert read == long
    whole = await connected.call(
        "opencode_read_operation",
        operation="session.message",
        arguments=asked,
        select="length(parts[?text].text | [0])",
    )
    assert data_of(whole)["reply"] == len(long)


async def answer_of(bridge: Bridge, session_id: str) -> str:
    """The id of the last message of a session."""
    arguments = {"sessionID": session_id, "limit": 1}
    page = data_of(await bridge.call("opencode_read_operation", operation="session.messages", arguments=arguments))
    return page["reply"][0]["info"]["id"]


@pytest.mark.parametrize("select", ["[].nothing", "nothing", "[0].id.x"])
async def test_a_part_that_there_is_not_names_those_that_there_are(connected: Bridge, select: str) -> None:
    result = await connected.call("opencode_read_operation", operation="app.agents", arguments={}, select=select)
    output = text_of(result)
    assert "`select` finds nothing there. The whole reply has the form [" in output
    assert "of {name, " in output


async def test_one_field_of_each_row_is_one_call(connected: Bridge) -> None:
    page = data_of(await connected.call("opencode_read_operation", operation="app.agents", select="[].name"))
    assert {"build", "plan"} <= set(page["reply"])
    wrong = await connected.call("opencode_read_operation", operation="app.agents", select="/0/name")
    assert wrong.is_error
    assert "It is a JMESPath expression, such as [].id" in text_of(wrong)


async def test_what_most_operations_take_is_said_once(connected: Bridge) -> None:
    output = text_of(await connected.call("opencode_find_operations", query="session todo"))
    assert output.count("workspace") == 1
    assert '{sessionID: "ses…", …}' in output
    assert output.count("stands for directory?: string") == 1
    assert "stands for" not in text_of(await connected.call("opencode_find_operations", query="global.health", limit=1))


async def test_previews_come_last_or_are_left_out_and_say_what_to_use(connected: Bridge) -> None:
    assert not [hit for hit in await find(connected, query="list agents", limit=20) if hit["id"] == "v2.agent.list"]
    hits = await find(connected, query="list references and skills", limit=20)
    previews = [hit["id"].startswith("v2.") for hit in hits if hit["allowed"]]
    assert previews == sorted(previews)
    (preview,) = await find(connected, query="v2.agent.list", limit=1)
    assert preview["note"].startswith("Of the next API of OpenCode 1: use app.agents instead.")


@pytest.mark.parametrize(("query", "best"), [("terminal create", "pty.create"), ("add an MCP server", "mcp.add")])
async def test_an_operation_that_is_refused_ranks_by_its_match_and_says_what_it_needs(
    connected: Bridge, query: str, best: str
) -> None:
    hits = await find(connected, query=query)
    assert (hits[0]["id"], hits[0]["allowed"]) == (best, False)
    assert hits[0]["needs"].startswith(f"`--allow {best},")
    assert not any("needs" in hit for hit in hits if hit["allowed"])
    output = text_of(await connected.call("opencode_find_operations", query=query))
    assert f"\nneeds: {hits[0]['needs']}\n" in output
    assert output.count("Only the person can change that") == 1
    assert "What is needed belongs to `args` of this MCP server in ~/.claude.json" in output
    named = [hit["needs"] for hit in hits if hit.get("needs", "").startswith("`")]
    needs = [frozenset(flags.strip("`").split(" ", 1)[1].split(",")) for flags in named]
    assert len(needs) == len(set(needs)) <= 3
    together = hits[0]["needs"].strip("`").split(",")[1:]
    others = [hit for hit in hits if hit["id"] in together]
    for other in others:
        assert f"\n{other['id']} ({hits[0]['effect']}, not allowed here): " in output
        assert other["needs"] == f"as {best}"


async def test_a_mistyped_word_is_read_as_the_one_that_resembles_it(connected: Bridge) -> None:
    output = text_of(await connected.call("opencode_find_operations", query="delete sesion", limit=1))
    assert output.startswith("session.delete ")
    assert "Read 'sesion' as 'session', since no operation has the word as it was given." in output


async def test_a_hit_names_the_tool_that_does_the_same(connected: Bridge) -> None:
    hit = (await find(connected, query="rename session"))[0]
    assert hit["tool"] == "opencode_update_session"
    output = text_of(await connected.call("opencode_find_operations", query="rename session"))
    assert "\nbetter: the tool opencode_update_session\n" in output
    first, *others = await find(connected, query="undo the last prompt")
    assert (first["id"], "arguments" in first) == ("session.revert", True)
    assert {hit["tool"] for hit in others if "arguments" not in hit} == {"opencode_revert", "opencode_run"}


async def test_an_unknown_tool_names_similar_ones(connected: Bridge) -> None:
    result = await connected.call("opencode_read_files")
    assert "There is no tool opencode_read_files. Did you mean opencode_read_file" in text_of(result)
    assert "Did you mean" not in text_of(await connected.call("xylophone"))


async def test_the_three_tools_take_little_of_the_listing(connected: Bridge) -> None:
    listed = (await connected.client.list_tools()).tools
    size = sum(
        len(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in listed if "_operation" in tool.name
    )
    assert size <= 2200
