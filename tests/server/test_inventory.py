"""Laws that hold for every tool, whatever it does, and the agreed schema of each."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

import anyio
import pytest
from mcp import Client
from mcp_types import Tool

from opencode_mcp.server.access.operations_of_tools import MINIMAL_TOOLS, ONLY_IF_ALLOWED
from opencode_mcp.server.app import build_server
from opencode_mcp.server.instructions import TEXT
from opencode_mcp.server.tools import TOOLS, listed_tools
from opencode_mcp.settings import Settings
from tests.harness.each import for_each
from tests.harness.processes.isolation import ROOT, basics
from tests.snapshot import SNAPSHOTS, assert_matches

DESCRIPTION_LIMIT = 1024
LISTING_LIMIT = 20_000
MINIMAL_LIMIT = 8000
INSTRUCTIONS_LIMIT = 2048
TOOL_SETS = {"default": Settings(), "all": Settings(toolsets=("all",)), "read only": Settings(read_only=True)}
KEYWORDS = {
    "type",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "maximum",
    "pattern",
}
"""Keywords of JSON Schema that three APIs accept, by their documentation and their users' reports in 2026.

- Gemini takes a part of OpenAPI 3.0: of the words here all, and besides title, format (some values), default, nullable,
  anyOf, minItems, maxItems, minLength, maxLength. It refuses const, exclusiveMinimum, oneOf, allOf, not, $ref, and an
  empty text or a number in an enum. Each schema has a type, a list has items, and names are of letters, digits and
  underscores.
- OpenAI's strict mode takes the words here, and besides const, anyOf, $ref, multipleOf, exclusiveMinimum, minItems and
  maxItems. It refuses default, minLength, maxLength, oneOf, allOf and not. It wants every object closed and every
  property required; a host that asks for it has to rewrite arguments that may be left out, and free maps.
- Anthropic takes JSON Schema 2020-12 but oneOf, allOf and anyOf at the root; names have at most 64 characters.
"""
TYPES = {"string", "integer", "number", "boolean", "array", "object"}
ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
PORTABLE_PATTERN = re.compile(r"\^[a-z_]+")
"""Lookarounds and the like are refused; the beginning of an id is all that is used."""
DEEPEST = 5
MOST_PROPERTIES = 100
NAME = re.compile(r"opencode(_[a-z]+)+")
LONGEST_NAME = 40
"""Hosts put their own prefix before a name, and some cut what is longer than 63 characters."""
SELF_EVIDENT = {"arguments", "limit"}
"""Parameters whose name says all there is to say."""
WHEN = re.compile(r"\bUse it (to|for|when|after|before)\b|\bopencode_[a-z_]+")
"""When a tool is to be used: said as such, or by the tool that comes before it, after it, or instead of it."""


def listing(settings: Settings) -> list[Tool]:
    """Return what a host sees that asks a server for its tools."""

    async def ask() -> list[Tool]:
        async with Client(build_server(settings)) as client:
            return (await client.list_tools()).tools

    return anyio.run(ask)


DEFAULT = listing(Settings())
LISTED = listing(Settings(allow=("session.shell",)))
"""All tools that are made by hand."""
every_tool = for_each("tool", LISTED)


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
    assert [tool.name for tool in DEFAULT] == [spec.name for spec in TOOLS if spec.name not in ONLY_IF_ALLOWED]


def test_no_server_changes_the_tools_of_another_in_the_same_process() -> None:
    for settings in (Settings(toolsets=("minimal",)), Settings(deny=("execute",)), Settings(read_only=True)):
        listing(settings)
    assert listing(Settings()) == DEFAULT


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
def test_the_hints_that_hosts_ask_a_person_by_are_said_and_none_that_means_nothing(tool: Tool) -> None:
    hints = tool.annotations
    assert hints
    assert None not in (hints.read_only_hint, hints.destructive_hint)
    assert not (hints.read_only_hint and hints.destructive_hint)
    assert hints.idempotent_hint in ({None} if hints.read_only_hint else {True, None})
    assert hints.open_world_hint in {False, None}


@every_tool
def test_no_schema_is_a_union_or_a_reference_at_its_root(tool: Tool) -> None:
    for schema in schemas_of(tool):
        assert schema["type"] == "object"
        assert not {"anyOf", "oneOf", "allOf", "$ref", "$defs"} & set(schema)


@every_tool
def test_no_token_is_spent_on_closing_schemas_since_the_bridge_refuses_unknown_arguments(tool: Tool) -> None:
    assert "additionalProperties" not in tool.input_schema


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
    assert size_of(DEFAULT) <= LISTING_LIMIT


def test_the_minimal_toolset_costs_even_less_and_is_enough_for_a_run_and_everything_else() -> None:
    minimal = listing(Settings(toolsets=("minimal",)))
    assert {tool.name for tool in minimal} == MINIMAL_TOOLS
    arguments = {tool.name: tool.input_schema["properties"].keys() for tool in minimal}
    assert arguments["opencode_run"].isdisjoint({"isolate", "base"}), "nothing brings isolated work back"
    assert size_of(minimal) <= MINIMAL_LIMIT


def size_of(tools: list[Tool]) -> int:
    """Return the bytes of the tools as JSON with spaces, as Python writes it and as few hosts send it."""
    return len(json.dumps([as_json(tool) for tool in tools]).encode())


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(read_only=True), Settings(toolsets=("minimal",))],
    ids=["all", "read only", "minimal"],
)
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
from opencode_mcp.settings import Settings
from opencode_mcp.server.app import build_server
from tests.harness.processes.executed import is_executed
build_server(Settings())
executed = {name for name, module in sys.modules.items() if is_executed(name) and not hasattr(module, "__path__")}
ours = {name for name in executed if name.startswith("opencode_mcp.")}
print(*(name for name in ours if name.startswith(("opencode_mcp.runs.", "opencode_mcp.events."))))
unneeded = ("vocabulary.wire.wire_object", "http_client.transport", "client", "operation_catalog.catalog")
print(*({"opencode_mcp.opencode." + name for name in unneeded} & set(ours)))
print(*filter(is_executed, ("httpx", "httpx_sse", "httpx_ws", "jsonschema", "filelock")))
"""
    done = subprocess.run(  # noqa: S603 - the test's own program
        [sys.executable, "-c", program], cwd=ROOT, env=basics(), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == []


def nodes_of(schema: Mapping[str, Any], depth: int = 1) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield a schema and those within it, each with its depth."""
    yield depth, schema
    for item in schema.get("properties", {}).values():
        yield from nodes_of(item, depth + 1)
    if "items" in schema:
        yield from nodes_of(schema["items"], depth + 1)


@pytest.mark.parametrize("settings", TOOL_SETS.values(), ids=TOOL_SETS)
def test_every_schema_is_one_that_the_apis_of_all_models_take(settings: Settings) -> None:
    for tool in listed_tools(settings):
        nodes = list(nodes_of(tool.parameters))
        assert max(depth for depth, _ in nodes) <= DEEPEST, tool.name
        assert sum(len(node.get("properties", {})) for _, node in nodes) <= MOST_PROPERTIES, tool.name
        assert len(tool.name) <= 64, tool.name
        for _, node in nodes:
            check_node(node, tool.name)


def check_node(node: Mapping[str, Any], tool: str) -> None:
    assert node.keys() <= KEYWORDS, (tool, node)
    assert node["type"] in TYPES, (tool, node)
    assert ("items" in node) is (node["type"] == "array"), (tool, node)
    assert isinstance(node.get("additionalProperties", False), bool), (tool, node)
    assert set(node.get("required", [])) <= node.get("properties", {}).keys(), (tool, node)
    assert all(map(ARGUMENT.fullmatch, node.get("properties", {}))), (tool, node)
    assert PORTABLE_PATTERN.fullmatch(node.get("pattern", "^a")), (tool, node)
    choices = node.get("enum", ["a"])
    assert choices, (tool, node)
    assert all(isinstance(choice, str) and choice for choice in choices), (tool, node)
    assert len(set(choices)) == len(choices), (tool, node)


def test_a_tool_of_an_operation_and_one_made_by_hand_say_what_is_left_out_in_words() -> None:
    settings = Settings(toolsets=("all",), allow=("pty.update",))
    tools = {tool.name: tool.parameters["properties"] for tool in listed_tools(settings)}
    assert tools["opencode_list_sessions"]["limit"]["description"] == "Default 20"
    assert tools["opencode_op_session_list"]["scope"]["enum"] == ["project"]
    assert "minimum" not in tools["opencode_op_pty_update"]["size"]["properties"]["rows"]
