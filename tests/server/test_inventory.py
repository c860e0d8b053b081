"""Laws that hold for every tool, whatever it does, and the agreed schema of each."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

import anyio
import pytest
from mcp import Client
from mcp_types import Tool

from opencode_mcp.config import Settings
from opencode_mcp.server.app import build_server
from opencode_mcp.server.instructions import TEXT
from opencode_mcp.server.tools import TOOLS, listed_tools
from tests.harness.isolation import ROOT, basics
from tests.snapshot import SNAPSHOTS, assert_matches

DESCRIPTION_LIMIT = 1024
LISTING_LIMIT = 20_000
INSTRUCTIONS_LIMIT = 2048
NAME = re.compile(r"opencode(_[a-z]+)+")
LONGEST_NAME = 40
"""Hosts put their own prefix before a name, and some cut what is longer than 63 characters."""
SELF_EVIDENT = {"arguments", "limit"}
"""Parameters whose name says all there is to say."""
WHEN = re.compile(r"\bUse it (to|for|when|after|before)\b|\bopencode_[a-z_]+")
"""When a tool is to be used: said as such, or by the tool that comes before it, after it, or instead of it."""


def listing() -> list[Tool]:
    """What a host sees that asks a server with nothing set for its tools."""

    async def ask() -> list[Tool]:
        async with Client(build_server(Settings())) as client:
            return (await client.list_tools()).tools

    return anyio.run(ask)


LISTED = listing()
every_tool = pytest.mark.parametrize("tool", LISTED, ids=lambda tool: tool.name)


def properties_of(tool: Tool) -> Mapping[str, Mapping[str, Any]]:
    return cast("Mapping[str, Mapping[str, Any]]", tool.input_schema.get("properties", {}))


def schemas_of(tool: Tool) -> Iterator[Mapping[str, Any]]:
    yield tool.input_schema
    if tool.output_schema:
        yield tool.output_schema


def as_json(tool: Tool) -> Any:  # noqa: ANN401 - JSON of any shape
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)


def test_the_default_tools_are_those_that_are_defined_in_their_order() -> None:
    assert [tool.name for tool in LISTED] == [spec.name for spec in TOOLS]


def test_no_two_tools_share_a_name_or_a_title() -> None:
    assert len({tool.name for tool in LISTED}) == len(LISTED)
    assert len({tool.title for tool in LISTED}) == len(LISTED)


@every_tool
def test_a_name_says_whose_it_is_and_is_short(tool: Tool) -> None:
    assert NAME.fullmatch(tool.name)
    assert len(tool.name) <= LONGEST_NAME


@every_tool
def test_a_tool_has_a_title_for_people(tool: Tool) -> None:
    assert tool.title
    assert not tool.title.startswith("opencode")


@every_tool
def test_a_description_says_what_the_tool_does_and_when_to_use_it(tool: Tool) -> None:
    assert tool.description
    assert len(tool.description) <= DESCRIPTION_LIMIT
    assert WHEN.search(tool.description), tool.description


@every_tool
def test_all_four_hints_are_said(tool: Tool) -> None:
    hints = tool.annotations
    assert hints
    assert None not in (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
    assert not (hints.read_only_hint and hints.destructive_hint)


@every_tool
def test_no_schema_is_a_union_or_a_reference_at_its_root(tool: Tool) -> None:
    for schema in schemas_of(tool):
        assert schema["type"] == "object"
        assert not {"anyOf", "oneOf", "allOf", "$ref", "$defs"} & set(schema)


@every_tool
def test_unknown_arguments_are_ruled_out(tool: Tool) -> None:
    assert tool.input_schema["additionalProperties"] is False


@every_tool
def test_every_parameter_is_described_unless_its_name_says_all(tool: Tool) -> None:
    silent = {name for name, schema in properties_of(tool).items() if not schema.get("description")}
    assert silent <= SELF_EVIDENT


@every_tool
def test_no_token_is_spent_on_titles_that_repeat_names(tool: Tool) -> None:
    assert not any("title" in schema for schema in properties_of(tool).values())


@every_tool
def test_a_listed_tool_matches_its_snapshot(tool: Tool) -> None:
    assert_matches(f"tools/{tool.name}", as_json(tool))


def test_there_is_no_snapshot_of_a_tool_that_is_gone() -> None:
    kept = {path.stem for path in (SNAPSHOTS / "tools").glob("*.json")}
    assert kept <= {tool.name for tool in LISTED}


def test_the_whole_listing_costs_a_host_little() -> None:
    size = sum(len(tool.model_dump_json(by_alias=True, exclude_none=True).encode()) for tool in LISTED)
    assert size <= LISTING_LIMIT


@pytest.mark.parametrize("settings", [Settings(), Settings(read_only=True)], ids=["all", "read only"])
def test_the_instructions_are_short_and_name_only_tools_that_are_listed(settings: Settings) -> None:
    instructions = build_server(settings).instructions or ""
    assert len(instructions.encode()) <= INSTRUCTIONS_LIMIT
    named = set(re.findall(r"opencode_[a-z_]+", instructions))
    assert named
    assert named <= {tool.name for tool in listed_tools(settings)}


def test_the_instructions_are_whole_where_all_tools_are_listed() -> None:
    assert build_server(Settings()).instructions == TEXT


@every_tool
def test_a_description_names_only_tools_that_there_are(tool: Tool) -> None:
    text = f"{tool.description} {tool.input_schema}"
    assert set(re.findall(r"\bopencode_[a-z_]+", text)) <= {tool.name for tool in LISTED}


def test_building_the_server_loads_nothing_that_only_a_call_needs() -> None:
    program = """
import sys
from opencode_mcp.config import Settings
from opencode_mcp.server.app import build_server
build_server(Settings())
ours = {name: module for name, module in sys.modules.items() if name.startswith("opencode_mcp.")}
print(*(name for name in ours if name.startswith(("opencode_mcp.runs.", "opencode_mcp.events."))))
print(*({"opencode_mcp.opencode." + name for name in ("models", "transport", "client", "catalog")} & set(ours)))
print(*({"httpx", "httpx_sse", "httpx_ws"} & set(sys.modules)))
print(*(name for name, module in ours.items() if "jsonschema" in vars(module)))
"""
    done = subprocess.run(  # noqa: S603 - the test's own program
        [sys.executable, "-c", program], cwd=ROOT, env=basics(), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == []


def enums_in(value: object) -> Iterator[list[object]]:
    match value:
        case Mapping():
            schema = cast("Mapping[str, object]", value)
            if isinstance(schema.get("enum"), list):
                yield cast("list[object]", schema["enum"])
            for item in schema.values():
                yield from enums_in(item)
        case list():
            for item in cast("list[object]", value):
                yield from enums_in(item)
        case _:
            pass


@every_tool
def test_no_choice_is_an_empty_text_which_gemini_refuses(tool: Tool) -> None:
    assert not [choices for choices in enums_in(tool.input_schema) if "" in choices]
