"""The seam to a model: every error arrives as a text with a next step, and a call that is not as it should be too."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import pytest
from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, TextContent
from pydantic import Field

from opencode_mcp.errors import BridgeError, InvalidArgument
from opencode_mcp.server.bridge import BridgeContext
from opencode_mcp.server.definition.tool import ToolSpec, tool, without_noise
from opencode_mcp.server.results.render import explain, result
from opencode_mcp.server.tools import listed_tools
from opencode_mcp.settings import Settings
from tests.harness.bridges.bridge import text_of
from tests.reflection import descendants

pytestmark = pytest.mark.anyio

FAILURES: list[Exception] = []
"""Errors that ``opencode_sample`` raises next."""


@tool(title="A sample", read_only=True, destructive=False, idempotent=True, open_world=False)
async def opencode_sample(
    ctx: BridgeContext,
    *,
    path: Annotated[str, Field(description="A path")],
    kind: Annotated[Literal["file", "folder"], Field(description="What it is")] = "file",
    limit: Annotated[int, Field(ge=1, le=10)] = 5,
    seconds: Annotated[float | None, Field(ge=0, le=3600)] = None,
    names: Annotated[list[str], Field(description="More")] = [],  # noqa: B006 - as the real ones
) -> CallToolResult:
    """Show that it was called; use it in tests."""
    assert ctx.request_context
    if FAILURES:
        raise FAILURES.pop()
    return result(f"{path} {kind} {limit} {seconds} {names}")


@asynccontextmanager
async def client_of(spec: ToolSpec) -> AsyncGenerator[Client]:
    async with Client(MCPServer("test", tools=[spec.build()])) as client:
        yield client


async def call(**arguments: object) -> CallToolResult:
    async with client_of(opencode_sample) as client:
        return await client.call_tool("opencode_sample", dict(arguments))


@pytest.mark.parametrize("kind", descendants(BridgeError))
async def test_every_error_arrives_with_what_was_wrong_and_a_next_step(kind: type[BridgeError]) -> None:
    FAILURES.append(kind("The path 'x' is wrong."))
    answer = await call(path="x")
    text = text_of(answer)
    assert answer.is_error
    assert text.startswith("The path 'x' is wrong. ")
    assert len(text) > len("The path 'x' is wrong. ")


@pytest.mark.parametrize("kind", descendants(BridgeError))
async def test_an_errors_own_hint_takes_the_place_of_the_general_one(kind: type[BridgeError]) -> None:
    FAILURES.append(kind("The path 'x' is wrong.", hint="Take 'y'."))
    rest = "" if kind.started is not False else " Nothing was started."
    assert text_of(await call(path="x")) == f"The path 'x' is wrong. Take 'y'.{rest}"


def test_every_error_explains_itself_in_whole_sentences() -> None:
    for kind in descendants(BridgeError):
        text = explain(kind("Something was wrong."))
        assert text.endswith((".", "!"))
        assert "  " not in text


async def test_an_error_of_nobodys_is_hidden_from_the_model() -> None:
    FAILURES.append(RuntimeError("hush"))
    answer = await call(path="x")
    assert answer.is_error
    assert "hush" not in text_of(answer)


async def test_a_good_call_arrives_with_its_defaults() -> None:
    answer = await call(path="x")
    assert not answer.is_error
    assert text_of(answer) == "x file 5 None []"
    assert isinstance(answer.content[0], TextContent)


async def test_null_is_an_argument_left_out_unless_it_is_required() -> None:
    answer = await call(path="x", kind=None, limit=None, seconds=None, names=None)
    assert text_of(answer) == "x file 5 None []"
    assert "`path` must be a text" in text_of(await call(path=None))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, ["`path` is missing."]),
        ({"paht": "x"}, ["There is no argument `paht`; did you mean `path`?", "`path` is missing."]),
        ({"path": "x", "zzz": 1}, ["There is no argument `zzz`."]),
        ({"path": 3}, ["`path` must be a text; got 3."]),
        ({"path": "x", "kind": "fiel"}, ["`kind` must be one of file, folder; got 'fiel'."]),
        ({"path": "x", "limit": 11}, ["`limit` must be 10 or less; got 11."]),
        ({"path": "x", "limit": 0}, ["`limit` must be 1 or more; got 0."]),
        ({"path": "x", "limit": "many"}, ["`limit` must be a whole number"]),
        ({"path": "x", "seconds": -1}, ["`seconds` must be 0 or more; got -1."]),
        ({"path": "x", "seconds": 3601}, ["`seconds` must be 3600 or less; got 3601."]),
        ({"path": "x", "names": "one"}, ["`names` must be a list"]),
        ({"path": "x", "names": ["one", 2]}, ["`names[1]` must be a text; got 2."]),
        ({"path": 3, "limit": 11, "zzz": 1}, ["`path` must", "`limit` must", "no argument `zzz`"]),
    ],
)
async def test_wrong_arguments_are_reported_all_at_once_with_what_the_tool_takes(
    arguments: dict[str, object], said: list[str]
) -> None:
    answer = await call(**arguments)
    assert answer.is_error
    for part in said:
        assert part in text_of(answer)
    assert text_of(answer).endswith("opencode_sample takes path, kind, limit, seconds, names.")


def test_an_argument_of_one_or_two_other_tools_is_said_to_be_theirs() -> None:
    [run, *_] = listed_tools(Settings())
    for argument, said in (
        ("tasks", "There is no argument `tasks`; opencode_run_many takes it."),
        ("session_ids", "did you mean `session_id`? opencode_wait takes `session_ids`."),
        ("cursor", "There is no argument `cursor`. opencode_run takes "),
    ):
        with pytest.raises(InvalidArgument) as caught:
            run.checked({"prompt": "x", argument: []})
        assert said in str(caught.value)


def test_a_tool_that_is_not_listed_is_not_said_to_take_an_argument() -> None:
    tools = {tool.name: tool for tool in listed_tools(Settings(toolsets=("minimal",)))}
    assert "opencode_run_many" not in tools
    with pytest.raises(InvalidArgument) as caught:
        tools["opencode_run"].checked({"prompt": "x", "tasks": []})
    assert "There is no argument `tasks`. opencode_run takes " in str(caught.value)


async def test_a_tool_that_there_is_not_is_an_error_too() -> None:
    async with client_of(opencode_sample) as client:
        answer = await client.call_tool("opencode_smaple", {})
    assert answer.is_error
    assert "opencode_smaple" in text_of(answer)


def test_a_spec_becomes_a_tool_with_all_that_was_said() -> None:
    built = opencode_sample.build()
    assert (built.name, built.title) == ("opencode_sample", "A sample")
    assert built.description == "Show that it was called; use it in tests."
    assert "ctx" not in built.parameters["properties"]
    assert "additionalProperties" not in built.parameters


def test_noise_is_left_out_of_schemas_and_names_are_kept() -> None:
    schema = {
        "title": "Arguments",
        "properties": {"title": {"title": "Title", "type": "string", "default": ""}, "n": {"default": 5}},
    }
    assert without_noise(schema) == {"properties": {"title": {"type": "string"}, "n": {"default": 5}}}
