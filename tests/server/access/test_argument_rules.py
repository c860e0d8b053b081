"""The rules name every argument that could lead out of the fence, and nothing that there is not."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.opencode.operations.arguments import arguments_schema
from opencode_mcp.opencode.operations.catalog import operations
from opencode_mcp.server.access import argument_rules

SUSPICIOUS = re.compile(
    r"(^|\.)(dirs?|director(y|ies)|cwd|path|paths|files?|folder|subpath|worktree|root|url|uri|redirecturi|filename|source"
    r"|sessionid|parentid|session|project|projectid|workspace|workspaceid|location)(\[\])?$",
    re.IGNORECASE,
)
ALWAYS = {"directory", "query_directory", "workspace"}
"""What chooses the project is fenced for every operation."""
FENCED = (
    argument_rules.DIRECTORIES,
    argument_rules.FOLDERS,
    argument_rules.NEW_DIRECTORIES,
    argument_rules.WORKTREES,
    argument_rules.FILES,
    argument_rules.PROJECTS,
    argument_rules.WORKSPACES,
    argument_rules.SESSION_KEYS,
)
HARMLESS: Mapping[str, str] = {
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
"""Arguments whose names look like places but are none, with the reason."""


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


def fenced(operation_id: str) -> set[str]:
    named = {place for table in FENCED for place in table.get(operation_id, ())}
    # An object on the way to a fenced place is no place itself.
    return (
        named | {place.rpartition(".")[0].removesuffix("[]") for place in named} | set(argument_rules.SESSIONS) | ALWAYS
    )


def with_value(place: str, value: object) -> object:
    """Arguments that hold a value at a place, and nothing else."""
    held = value
    for name in reversed(place.split(".")):
        for _ in range(name.count("[]")):
            held = cast("object", [held])
        plain = name.replace("[]", "")
        held = cast("object", {plain: held}) if plain else held
    return held


def is_checked_address(operation_id: str, place: str) -> bool:
    found = argument_rules.addresses_in(with_value(place, "file:///etc/passwd"))
    return operation_id not in argument_rules.ANY_ADDRESS and [*found] == ["file:///etc/passwd"]


def harmless(operation_id: str, place: str) -> bool:
    parts = f"{operation_id}.{place}".split(".")
    beginnings = {".".join(parts[:count]) + ".*" for count in range(1, len(parts))}
    anywhere = {f"*.{name}" for name in place.split(".")}
    return not HARMLESS.keys().isdisjoint({f"{operation_id}.{place}"} | beginnings | anywhere)


def test_whatever_sounds_like_a_place_is_fenced_or_said_to_be_harmless() -> None:
    open_places = [
        f"{item.id}: {place}"
        for item in operations().values()
        for place in places(arguments_schema(item))
        if SUSPICIOUS.search(place)
        and place not in fenced(item.id)
        and not is_checked_address(item.id, place)
        and not harmless(item.id, place)
    ]
    assert open_places == []


def test_an_address_at_any_depth_of_the_arguments_of_any_operation_is_checked() -> None:
    named = [
        (item.id, place)
        for item in operations().values()
        for place in places(arguments_schema(item))
        if place.rpartition(".")[2].lower() in {"url", "uri"} and item.id not in argument_rules.ANY_ADDRESS
    ]
    assert {"session.prompt", "part.update", "v2.session.prompt"} <= {operation_id for operation_id, _ in named}
    assert [item for item in named if not is_checked_address(*item)] == []


@given(st.lists(st.sampled_from(["[]", "state", "attachments", "x"]), max_size=200), st.sampled_from(["url", "URI"]))
def test_an_address_is_found_however_deep_it_lies(way: list[str], name: str) -> None:
    value: object = {name: "file:///etc/passwd", "text": "file:///no/address"}
    for step in way:
        value = [value, 1, None] if step == "[]" else {step: value, "other": [True]}
    assert [*argument_rules.addresses_in(value)] == ["file:///etc/passwd"]


def test_every_rule_is_of_a_place_that_there_is() -> None:
    for table in (*FENCED, argument_rules.RIGHTS):
        for operation_id, named in table.items():
            known = set(places(arguments_schema(operations()[operation_id])))
            assert set(named) <= known, operation_id


def test_every_word_on_harmless_places_is_of_an_operation_that_there_is() -> None:
    for name in HARMLESS:
        assert name.startswith("*.") or any(name.startswith(f"{item}.") for item in operations()) or name.endswith(".*")


def test_values_are_found_in_lists_and_maps() -> None:
    arguments = {"parts": [{"url": "a"}, {"text": "b"}, {"url": "c"}], "deep": {"er": {"st": "d"}}}
    assert argument_rules.texts_at(arguments, ["parts[].url", "deep.er.st", "nowhere.at.all"]) == ["a", "c", "d"]
