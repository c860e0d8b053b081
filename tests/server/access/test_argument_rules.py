"""The rules name every argument that could lead out of the fence, and nothing that there is not."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.opencode.operation_catalog.arguments import arguments_of, arguments_schema
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.opencode.tables.argument_rules import ArgumentRules, Places
from opencode_mcp.opencode.tables.operation_table import Operation
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.access import argument_values
from opencode_mcp.server.access.argument_values import RULES

SUSPICIOUS = re.compile(
    r"(^|\.)(dirs?|director(y|ies)|cwd|path|paths|files?|folder|subpath|worktree|root|url|uri|redirecturi|filename|source"
    r"|sessionid|parentid|session|project|projectid|workspace|workspaceid|location)(\[\])?$",
    re.IGNORECASE,
)
ALWAYS = {"directory", "query_directory", "workspace"}
"""Arguments that choose the project are fenced for every operation."""
EVERY = [item for table in TABLES.values() for item in table.operations.values()]


def places_of_places(rules: ArgumentRules) -> list[Places]:
    """The rules for arguments that name a place."""
    return [
        rules.directories,
        rules.folders,
        rules.new_directories,
        rules.worktrees,
        rules.files,
        rules.projects,
        rules.workspaces,
        rules.session_keys,
        rules.new_sessions,
        rules.terminals,
    ]


HARMLESS_1: Mapping[str, str] = {
    "find.files.dirs": "a switch",
    "session.list.path": "only narrows the list, whose rows are checked one by one",
    "v2.session.list.subpath": "the same",
    "config.update.*": "a caller who may change the configuration may name any file in it",
    "global.config.update.*": "the same",
    "project.update.icon.url": "a picture for people to look at",
    "mcp.add.config.url": "the address of an MCP server, never a file",
    "mcp.add.config.oauth.redirectUri": "an address that a browser returns to",
    "part.update.body.files": "the files that an edit has changed",
    "provider.oauth.*": "inputs of a provider's sign-in",
    "*.filename": "the name of an attachment",
    "*.source": "the position where an attachment is mentioned",
    "v2.session.prompt.prompt.files": "attachments, whose URLs are checked",
    "v2.session.revert.stage.files": "a switch",
}
HARMLESS_2: Mapping[str, str] = {
    "mcp.add.config.url": "the address of an MCP server, never a file",
    "permission.create.source": "the call of a tool that a request belongs to",
    "project.update.icon.url": "a picture for people to look at",
    "session.command.files": "attachments, whose URIs are checked",
    "session.list.subpath": "only narrows the list, whose rows are checked one by one",
    "session.prompt.files": "attachments, whose URIs are checked",
    "session.revert.stage.files": "a switch",
    "voice.session.session": "settings of the voice service",
}
HARMLESS: Mapping[Generation, Mapping[str, str]] = {1: HARMLESS_1, 2: HARMLESS_2}
"""Arguments of each generation whose names look like places but are none, with the reason."""


def places(schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Every place in a schema, as the rules write them."""
    for member in schema.get("anyOf", ()):
        yield from places(member, at)
    if isinstance(schema.get("items"), Mapping):
        yield from places(schema["items"], f"{at}[]")
    for name, item in cast("Mapping[str, Mapping[str, Any]]", schema.get("properties", {})).items():
        place = f"{at}.{name}" if at else name
        yield place
        yield from places(item, place)


def fenced(item: Operation) -> set[str]:
    named = {place for table in places_of_places(RULES[item.generation]) for place in table.get(item.id, ())}
    # An object on the way to a fenced place is no place itself.
    ways = {place.rpartition(".")[0].removesuffix("[]") for place in named}
    always = ALWAYS if item.scope != "none" else set[str]()
    return named | ways | set(argument_values.SESSIONS) | always


def with_value(place: str, value: object) -> object:
    """Arguments that hold a value at a place, and nothing else."""
    held = value
    for name in reversed(place.split(".")):
        for _ in range(name.count("[]")):
            held = cast("object", [held])
        plain = name.replace("[]", "")
        held = cast("object", {plain: held}) if plain else held
    return held


def is_checked_address(item: Operation, place: str) -> bool:
    found = argument_values.addresses_in(with_value(place, "file:///etc/passwd"))
    return item.id not in RULES[item.generation].any_address and [*found] == ["file:///etc/passwd"]


def harmless(item: Operation, place: str) -> bool:
    parts = f"{item.id}.{place}".split(".")
    beginnings = {".".join(parts[:count]) + ".*" for count in range(1, len(parts))}
    anywhere = {f"*.{name}" for name in place.split(".")}
    return not HARMLESS[item.generation].keys().isdisjoint({f"{item.id}.{place}"} | beginnings | anywhere)


def test_each_argument_that_is_named_like_a_place_is_fenced_or_listed_as_harmless() -> None:
    open_places = [
        f"{item.id} of OpenCode {item.generation}: {place}"
        for item in EVERY
        for place in places(arguments_schema(item))
        if SUSPICIOUS.search(place)
        and place not in fenced(item)
        and not is_checked_address(item, place)
        and not harmless(item, place)
    ]
    assert open_places == []


def test_an_address_at_any_depth_of_the_arguments_of_any_operation_is_checked() -> None:
    named = [
        (item, place)
        for item in EVERY
        for place in places(arguments_schema(item))
        if place.rpartition(".")[2].lower() in {"url", "uri"} and item.id not in RULES[item.generation].any_address
    ]
    found = {(item.generation, item.id) for item, _ in named}
    assert {(1, "session.prompt"), (1, "part.update"), (1, "v2.session.prompt")} <= found
    assert {(2, "session.prompt"), (2, "session.command"), (2, "mcp.add")} <= found
    assert [item for item in named if not is_checked_address(*item)] == []


@given(st.lists(st.sampled_from(["[]", "state", "attachments", "x"]), max_size=200), st.sampled_from(["url", "URI"]))
def test_an_address_is_found_however_deep_it_lies(way: list[str], name: str) -> None:
    value: object = {name: "file:///etc/passwd", "text": "file:///no/address"}
    for step in way:
        value = [value, 1, None] if step == "[]" else {step: value, "other": [True]}
    assert [*argument_values.addresses_in(value)] == ["file:///etc/passwd"]


def test_every_rule_is_of_a_place_that_exists() -> None:
    for generation, rules in RULES.items():
        named = [*places_of_places(rules), rules.rights, rules.replaced_rights, rules.askers, rules.metadata]
        named += [
            rules.shell_lines,
            rules.commands,
            rules.undo,
            {name: list(effects) for name, effects in rules.effects.items()},
        ]
        for operation_id, rows in [pair for table in named for pair in table.items()]:
            known = set(places(arguments_schema(TABLES[generation].operations[operation_id])))
            # The record of an imported session has no schema, nor have metadata.
            assert {place for place in rows if not place.startswith(("info.", "metadata."))} <= known, operation_id
        assert {*rules.redo, *rules.any_address, *rules.own_directories} <= TABLES[generation].operations.keys()


def test_every_unfenced_argument_is_of_an_operation_that_exists() -> None:
    for generation, listed in HARMLESS.items():
        ids = TABLES[generation].operations
        for name in listed:
            assert name.startswith("*.") or any(name.startswith(f"{item}.") for item in ids) or name.endswith(".*")


def test_an_operation_of_opencode_2_with_a_text_for_the_shell_or_a_command_is_checked() -> None:
    """Every operation that takes a command takes it as the shell of a session does, or starts a terminal."""
    takes = {item.id for item in TABLES[2].operations.values() if "command" in arguments_of(item)}
    assert takes - RULES[2].shell_lines.keys() == {"pty.create", "experimental.persistentPty.create"}


def test_another_text_is_set_where_a_place_has_one_and_nowhere_else() -> None:
    value = {"location": {"directory": "/link", "other": 1}, "id": "x"}
    expected = {"location": {"directory": "/real", "other": 1}, "id": "x"}
    assert argument_values.with_text_at(value, "location.directory", "/real") == expected
    for place in ("directory", "location.no", "id.no"):
        assert argument_values.with_text_at(value, place, "/real") == value
    assert argument_values.with_text_at(None, "directory", "/real") is None


def test_values_are_found_in_lists_and_maps() -> None:
    arguments = {"parts": [{"url": "a"}, {"text": "b"}, {"url": "c"}], "deep": {"er": {"st": "d"}}}
    assert argument_values.texts_at(arguments, ["parts[].url", "deep.er.st", "nowhere.at.all"]) == ["a", "c", "d"]
