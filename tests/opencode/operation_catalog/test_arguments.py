"""Arguments as one flat object: each goes to its place, and none beyond it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.operation_catalog.argument_problems import REQUIREMENTS
from opencode_mcp.opencode.operation_catalog.arguments import arguments_of, arguments_schema, split
from opencode_mcp.opencode.operation_catalog.catalog import V1, V2
from opencode_mcp.opencode.tables.operation_table import Operation, Parameter
from tests.harness.each import for_each
from tests.harness.effort import THOROUGH
from tests.harness.operations import operation
from tests.opencode.schema_strategies import Schema, objects

UNDERSTOOD = REQUIREMENTS.keys() | {"anyOf", "required", "properties", "items", "additionalProperties", "prefixItems"}
SILENT = {"description", "format"}
EVERY = for_each("item", [*V1.operations.values(), *V2.operations.values()])


def call(operation_id: str, **arguments: object) -> object:
    return split(operation(operation_id), arguments)


def refusal(operation_id: str, **arguments: object) -> str:
    with pytest.raises(InvalidArgument) as caught:
        call(operation_id, **arguments)
    return caught.value.message


@EVERY
@settings(max_examples=5 if THOROUGH else 2, deadline=None)
@given(data=st.data())
def test_arguments_that_the_schema_takes_fill_the_path_and_nothing_leaves_its_place_there(
    item: Operation, data: st.DataObject
) -> None:
    arguments = cast("dict[str, object]", data.draw(objects(arguments_schema(item))))
    made = split(item, arguments)
    places = {parameter.name for parameter in item.parameters if parameter.location == "path"}
    assert set(made.path) == places
    body = cast("dict[str, object]", made.body) if item.body and "properties" in item.body else {}
    scope = {"directory"} if made.directory else set[str]()
    whole = 1 if "body" in arguments else 0
    assert len(made.path) + len(made.query) + len(body) + len(scope) + whole == len(arguments)
    for name in (name for name, argument in arguments_of(item).items() if argument.place == "path"):
        for attack in ("/..", "/../x", "\r\nX: 1", "\0", "%2fx", "%5C", "%2E%2e"):
            with pytest.raises(InvalidArgument, match=f"`{name}`"):
                split(item, arguments | {name: f"{arguments[name]}{attack}"})


@EVERY
def test_a_required_argument_that_is_left_out_is_named(item: Operation) -> None:
    needed = [name for name, argument in arguments_of(item).items() if argument.required]
    if not needed:
        split(item, {})
        return
    with pytest.raises(InvalidArgument) as caught:
        split(item, {})
    assert all(f"`{name}` is missing." in caught.value.message for name in needed)


@EVERY
def test_an_argument_that_does_not_exist_is_refused(item: Operation) -> None:
    with pytest.raises(InvalidArgument, match="There is no argument `nonsense`"):
        split(item, {"nonsense": 1})


@pytest.mark.parametrize("value", ["a/b", "a\\b", "..", ".", ""])
def test_a_path_segment_is_one_segment(value: str) -> None:
    assert refusal("auth.remove", providerID=value).startswith("`providerID` must")


def test_a_path_of_several_segments_may_hold_slashes_but_not_climb() -> None:
    assert call("v2.fs.read", path="a/b.txt") == ({"path": "a/b.txt"}, {}, None, "")
    assert "must not climb" in refusal("v2.fs.read", path="a/../../b")
    assert "must be relative" in refusal("v2.fs.read", path="/etc/passwd")


def test_a_file_path_in_the_query_may_not_climb() -> None:
    assert "must not climb" in refusal("file.read", path="../secret")


def test_each_argument_goes_to_its_place() -> None:
    made = call("session.diff", sessionID="ses_1", messageID="msg_1", directory="/p", workspace="wrk_1")
    assert made == ({"sessionID": "ses_1"}, {"messageID": "msg_1", "workspace": "wrk_1"}, None, "/p")


def test_the_workspace_of_a_v2_operation_goes_into_its_location() -> None:
    assert call("v2.pty.list", workspace="wrk_1") == ({}, {"location[workspace]": "wrk_1"}, None, "")


def test_the_operations_of_opencode_2_take_a_directory_and_no_workspace() -> None:
    assert split(V2.operation("pty.list"), {"directory": "/p"}) == ({}, {}, None, "/p")
    with pytest.raises(InvalidArgument, match="no argument `workspace`"):
        split(V2.operation("pty.list"), {"workspace": "wrk_1"})


def test_a_directory_that_opencode_2_filters_by_is_no_project() -> None:
    made = split(V2.operation("session.list"), {"directory": "/p", "parentID": "null"})
    assert made == ({}, {"directory": "/p", "parentID": "null"}, None, "")


def test_the_content_of_a_file_is_the_argument_body() -> None:
    made = split(V2.operation("file.write"), {"path": "a.txt", "body": "x"})
    assert made == ({}, {"path": "a.txt"}, "x", "")
    assert V2.operation("file.write").body_type == "application/octet-stream"


def test_an_object_body_is_sent_even_when_nothing_is_said_in_it() -> None:
    assert call("session.create") == ({}, {}, {}, "")


def test_a_body_that_is_not_one_object_is_the_argument_body() -> None:
    body = {"type": "api", "key": "k"}
    assert call("auth.set", providerID="p", body=body) == ({"providerID": "p"}, {}, body, "")


def test_an_operations_own_directory_keeps_its_name() -> None:
    made = call("worktree.remove", directory="/tree", query_directory="/project")
    assert made == ({}, {}, {"directory": "/tree"}, "/project")


def test_a_name_in_two_places_is_distinguished() -> None:
    text = {"type": "string"}
    both = replace(
        operation("session.revert"),
        parameters=(Parameter(name="id", location="path", required=True, schema=text),),
        body={"type": "object", "properties": {"id": text}},
    )
    made = split(both, {"path_id": "a", "body_id": "b"})
    assert (made.path, made.body) == ({"id": "a"}, {"id": "b"})


def test_a_number_or_a_boolean_of_the_query_may_come_as_text() -> None:
    made = split(operation("find.files"), {"query": "1", "limit": "5", "dirs": "false"})
    assert made.query == {"query": "1", "limit": 5, "dirs": False}


REFUSALS: list[tuple[str, dict[str, object], str]] = [
    (
        "permission.reply",
        {"requestID": "per_1", "reply": "yes"},
        "`reply` must be one of once, always, reject; got 'yes'.",
    ),
    ("session.get", {"sessionID": "abc"}, "`sessionID` must start with ses; got 'abc'."),
    ("session.get", {"sesionID": "ses_1"}, "There is no argument `sesionID`; did you mean `sessionID`?"),
    ("session.update", {"sessionID": "ses_1", "title": 5}, "`title` must be a text; got 5."),
    ("find.files", {"query": "x", "limit": 500}, "`limit` must be 200 or less; got 500."),
    ("find.files", {"query": "x", "dirs": "no"}, "`dirs` must be true or false; got a text."),
    ("session.prompt", {"sessionID": "ses_1", "parts": [{"type": "text"}]}, "`parts[0].text` is missing."),
    (
        "session.prompt",
        {"sessionID": "ses_1", "parts": [{"type": "txt"}]},
        "`parts[0].type` must be one of text, file, agent, subtask; got 'txt'.",
    ),
    (
        "session.prompt",
        {"sessionID": "ses_1", "parts": [{}]},
        "`parts[0].type` is missing; it is one of text, file, agent, subtask.",
    ),
    ("session.prompt", {"sessionID": "ses_1", "parts": ["hi"]}, "`parts[0]` must be an object; got a text."),
    (
        "session.prompt",
        {"sessionID": "ses_1", "parts": [], "model": {"providerID": "p", "modelID": "m", "modelId": "m"}},
        "There is no argument `model.modelId`; did you mean `model.modelID`?",
    ),
    ("config.update", {"permission": 5}, "`permission` must be one of ask, allow, deny or an object; got 5."),
    ("config.update", {"autoupdate": "maybe"}, '`autoupdate` must be true or false or "notify"; got a text.'),
    ("sync.history.list", {"body": {"ses_1": -1}}, "`body.ses_1` must be 0 or more; got -1."),
    ("pty.update", {"ptyID": "pty_1", "size": {"rows": 0, "cols": 80}}, "`size.rows` must be more than 0; got 0."),
    ("session.list", {"limit": "NaN"}, "`limit` must be a number; got a text."),
]


@for_each(("operation_id", "arguments", "text"), REFUSALS)
def test_a_refusal_names_the_field_and_what_it_takes(
    operation_id: str, arguments: Mapping[str, object], text: str
) -> None:
    assert text in refusal(operation_id, **arguments)


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = refusal("session.update", sesionID="ses_1", title=5)
    assert "`sesionID`" in said
    assert "`sessionID` is missing." in said
    assert "`title` must be a text" in said


def test_a_secret_is_never_shown() -> None:
    assert "12345" not in refusal("auth.set", providerID="p", body={"type": "api", "key": 12345})
    assert "hunter2" not in refusal("auth.set", providerID="p", body="hunter2")
    assert "hunter2" not in refusal("v2.integration.connect.key", integrationID="i", key=["hunter2"])
    with pytest.raises(InvalidArgument) as caught:
        split(V2.operation("credential.create"), {"integrationID": "i", "value": {"type": "key", "key": 12345}})
    assert "`value.key` must be a text" in caught.value.message
    assert "12345" not in caught.value.message


@EVERY
def test_every_keyword_of_a_schema_can_be_put_in_words(item: Operation) -> None:
    keywords = {key for argument in arguments_of(item).values() for key in _keywords(argument.schema)}
    assert keywords - SILENT <= UNDERSTOOD


def _keywords(schema: Schema) -> Iterator[str]:
    yield from schema
    inner = [
        *cast("Mapping[str, Schema]", schema.get("properties", {})).values(),
        *(schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), Mapping)),
        *(member for key in ("anyOf", "prefixItems") for member in cast("Sequence[Schema]", schema.get(key, ()))),
    ]
    for part in cast("list[Schema]", inner):
        yield from _keywords(part)


def test_every_pattern_is_a_beginning() -> None:
    patterns = {
        parameter.schema["pattern"]
        for item in V1.operations.values()
        for parameter in item.parameters
        if "pattern" in parameter.schema
    }
    assert all(str(pattern).startswith("^") and str(pattern)[1:].replace("_", "").isalnum() for pattern in patterns)
