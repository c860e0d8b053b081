"""A value stays in its place, and nothing is sent to OpenCode that breaks it or that takes another route."""

import json
import math
from typing import Any

import httpx
import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.http_client.codec import encode
from opencode_mcp.opencode.http_client.request_checks import (
    BODY_TEXT_BYTES,
    FUZZY_QUERY_BYTES,
    SEARCH_CHARACTERS,
    SEGMENT_BYTES,
    TARGET_BYTES,
    TITLE_CHARACTERS,
)
from opencode_mcp.opencode.tables.operation_table import Operation
from tests.harness.each import for_each
from tests.harness.operations import operation, operations

PATHS = [
    (item, parameter.name)
    for item in operations().values()
    for parameter in item.parameters
    if parameter.location == "path"
]
QUERIES = [
    (item, parameter.name)
    for item in operations().values()
    for parameter in item.parameters
    if parameter.location == "query"
]
REFUSED = ["", ".", "..", "\0", "ses_\0", "\ud800", "x" * 10_000, "é" * 5000]
KEPT = [
    "a/b",
    "../b",
    "%2e",
    "%2e%2e",
    "%2E%2E/x",
    "..;",
    "a\\b",
    "\\..\\",
    "?x=1",
    "#x",
    "a b",
    "ä",
    "\n",
    "...",
    "//x",
]
DEEP: Any = json.loads("[" * 150 + "]" * 150)


def a_path(item: Operation, name: str, value: str) -> dict[str, str]:
    """Values for the whole path, one of them chosen."""
    names = [parameter.name for parameter in item.parameters if parameter.location == "path"]
    return dict.fromkeys(names, "x_1") | {name: value}


@for_each(("item", "name"), PATHS)
def test_no_value_of_a_path_reaches_another_route(item: Operation, name: str) -> None:
    plain = encode(item, path=a_path(item, name, "x_1")).path
    for value in KEPT:
        path = encode(item, path=a_path(item, name, value)).path
        sent = httpx.URL(f"http://127.0.0.1:1{path}").raw_path.decode()
        # OpenCode resolves dots that are percent-encoded once; an encoded percent sign keeps them text.
        assert sent.count("/") == plain.count("/")
        assert not {segment.lower() for segment in sent.split("/")[1:]} & {"", ".", "..", "%2e", "%2e%2e", ".%2e"}
        assert not set(sent) & set("?#\\ \n")


@for_each(("item", "name"), PATHS)
def test_what_names_nothing_or_is_too_long_is_refused_and_named(item: Operation, name: str) -> None:
    for value in REFUSED:
        with pytest.raises(InvalidArgument, match=name) as refused:
            encode(item, path=a_path(item, name, value))
        assert len(str(refused.value)) < 300


@for_each(("item", "name"), QUERIES)
def test_a_query_has_no_text_and_no_number_that_opencode_cannot_handle(item: Operation, name: str) -> None:
    for value in ("x" * 20_000, "\0", "\ud800", 10**30, -(10**30), math.inf, -math.inf, math.nan):
        with pytest.raises(InvalidArgument, match=name):
            encode(item, query={name: value})


@pytest.mark.parametrize("name", ["find.files", "v2.fs.find"])
@pytest.mark.parametrize("query", ["ab", "é", "a" * 20, "a" * 4700])
def test_no_file_query_that_could_abort_opencode_is_sent(name: str, query: str) -> None:
    encode(operation(name), query={"query": query[0] if query.isascii() else "e"})
    with pytest.raises(InvalidArgument, match=f"at most {FUZZY_QUERY_BYTES:,}"):
        encode(operation(name), query={"query": query})


def test_arguments_that_fit_one_by_one_may_be_too_long_together() -> None:
    with pytest.raises(InvalidArgument, match=f"{TARGET_BYTES:,}"):
        encode(operation("session.list"), query={"path": "\U0001f600" * 1000}, directory="/p")


def test_a_long_directory_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="directory"):
        encode(operation("file.list"), query={"path": "."}, directory="/" + "x" * 5000)


def test_an_id_may_have_its_full_length() -> None:
    assert encode(operation("session.get"), path={"sessionID": "x" * SEGMENT_BYTES}).path.endswith("x" * SEGMENT_BYTES)


@for_each(
    ("body", "said"),
    [
        ({"parts": DEEP}, "nested deeper"),
        ({"parts": [0] * 100_001}, "values"),
        ({"time": {"archived": 10**30}}, "out of range"),
        ({"time": {"archived": math.nan}}, "out of range"),
        ({"text": "half \ud800"}, "not valid Unicode"),
        ({"half \ud800": 1}, "not valid Unicode"),
        (
            {"parts": [{"text": "x" * (BODY_TEXT_BYTES // 2)}, {"text": "x" * (BODY_TEXT_BYTES // 2 + 1)}]},
            "bytes of text",
        ),
        ({"title": "x" * (TITLE_CHARACTERS + 1)}, "title"),
    ],
    ids=["deep", "wide", "large number", "no number", "half a pair", "half a pair in a name", "large", "title"],
)
def test_a_body_is_bounded_in_depth_size_and_numbers(body: object, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said) as refused:
        encode(operation("session.update"), path={"sessionID": "ses_1"}, body=body)
    assert len(str(refused.value)) < 300


def test_a_large_prompt_passes() -> None:
    body = {"parts": [{"type": "text", "text": "x" * 10_000_000}], "title": None}
    assert encode(operation("session.prompt_async"), path={"sessionID": "ses_1"}, body=body).body == body


SEARCHES = [item for item, name in QUERIES if name == "search"]


@pytest.mark.parametrize("item", SEARCHES, ids=[item.id for item in SEARCHES])
def test_a_search_in_titles_is_short_for_every_operation_that_has_one(item: Operation) -> None:
    assert encode(item, query={"search": "ä" * SEARCH_CHARACTERS}).query["search"]
    with pytest.raises(InvalidArgument, match=rf"`search` of {item.id} is 201 characters long") as refused:
        encode(item, query={"search": "x" * (SEARCH_CHARACTERS + 1)})
    assert refused.value.hint == "It may have at most 200."


def test_the_lists_of_sessions_are_searched() -> None:
    assert {item.id for item in SEARCHES} >= {"session.list", "experimental.session.list", "v2.session.list"}
