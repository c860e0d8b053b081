"""The table of operations: complete, explained, and made from what OpenCode says of itself."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args

import pytest

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.annotation import Effect, Group
from opencode_mcp.opencode.operations.arguments import arguments_of
from opencode_mcp.opencode.operations.catalog import operation, operations
from opencode_mcp.opencode.v1.annotations import ANNOTATIONS
from opencode_mcp.opencode.v1.descriptions import ARGUMENTS, DESCRIPTIONS
from scripts.generate_operations_doc import PAGE, page
from scripts.refresh_operations import TABLE, ask, table
from tests.harness.each import for_each
from tests.harness.opencode import binary

REQUIRED = Path(__file__).with_name("required_operations.tsv")


def required() -> list[dict[str, str]]:
    with REQUIRED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@for_each("row", required())
def test_a_required_operation_is_in_the_table_with_its_method_and_path(row: dict[str, str]) -> None:
    found = operation(row["id"])
    assert (found.method, found.path) == (row["method"], row["path"])


def test_every_operation_has_annotations_and_a_description_and_there_are_no_dead_keys() -> None:
    listed = {row["id"] for row in json.loads(TABLE.read_text(encoding="utf-8"))["operations"]}
    assert set(ANNOTATIONS) == listed, "edit opencode_mcp/opencode/v1/annotations.py"
    assert set(DESCRIPTIONS) == listed, "edit opencode_mcp/opencode/v1/descriptions.py"


@pytest.mark.parametrize("texts", [DESCRIPTIONS, *ARGUMENTS.values()], ids=["operations", *ARGUMENTS])
def test_a_description_is_one_short_sentence(texts: Mapping[str, str]) -> None:
    odd = {name: text for name, text in texts.items() if not re.fullmatch(r"[A-Za-z0-9`].{9,98}\.", text)}
    assert odd == {}


def test_only_arguments_that_exist_are_described() -> None:
    for operation_id, texts in ARGUMENTS.items():
        known = {item.name: item.schema.get("description") for item in arguments_of(operation(operation_id)).values()}
        assert known.items() >= texts.items(), operation_id


def prose(schema: object) -> Iterator[str]:
    """Return every sentence in a schema."""
    if isinstance(schema, list):
        for item in cast("list[object]", schema):
            yield from prose(item)
    if not isinstance(schema, Mapping):
        return
    for key, value in cast("Mapping[str, Any]", schema).items():
        if key == "properties":
            yield from prose(list(value.values()))
        elif key in {"description", "summary", "title"}:
            yield str(value)
        else:
            yield from prose(value)


def test_the_table_holds_no_sentence_of_opencodes() -> None:
    sentences = set(prose(json.loads(TABLE.read_text(encoding="utf-8"))["operations"]))
    assert [text for text in sentences if not text.startswith(("Fields: ", "Nested "))] == []


@pytest.mark.integration
def test_the_table_is_what_the_installed_opencode_says_of_itself() -> None:
    executable = str(binary())
    document = json.loads(ask(executable, "generate"))
    assert TABLE.read_text(encoding="utf-8") == table(document, ask(executable, "--version").strip())
    copied = {text.rstrip(".") for text in prose(document)} & {text.rstrip(".") for text in DESCRIPTIONS.values()}
    assert copied == set(), "write these descriptions in our own words"


def test_the_page_of_operations_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m scripts.generate_operations_doc`"


def test_every_group_and_effect_is_in_use() -> None:
    known = operations().values()
    assert {item.group for item in known} == set(get_args(Group))
    assert {item.effect for item in known} == set(get_args(Effect))


def test_what_a_path_names_is_a_parameter_of_the_path() -> None:
    for item in operations().values():
        in_path = {parameter.name for parameter in item.parameters if parameter.location == "path"}
        assert {part[1:-1] for part in item.path.split("/") if part.startswith("{")} == in_path, item.id


def test_two_operations_never_share_a_method_and_a_path() -> None:
    calls = [(item.method, item.path) for item in operations().values()]
    assert len(set(calls)) == len(calls)


def test_only_a_post_may_be_judged_to_read_besides_a_get() -> None:
    unsafe = {item.id for item in operations().values() if item.effect == "read" and item.method not in {"GET", "POST"}}
    assert unsafe == set()


def test_an_operation_that_deletes_is_marked_destructive_unless_it_takes_back() -> None:
    mild = {item.id for item in operations().values() if item.method == "DELETE" and not item.destructive}
    assert mild == {"session.unshare", "v2.integration.attempt.cancel"}


def test_what_lets_a_waiting_tool_run_is_judged_to_execute() -> None:
    replies = [item for item in operations().values() if item.path.endswith(("/reply", "/permissions/{permissionID}"))]
    assert {item.effect for item in replies} == {"execute"}


@pytest.mark.parametrize("operation_id", ["event.subscribe", "global.event", "pty.connect", "v2.session.events"])
def test_an_answer_without_an_end_is_marked(operation_id: str) -> None:
    assert operation(operation_id).streams


def test_the_table_stays_small() -> None:
    assert TABLE.stat().st_size < 150_000
    longest = max(operations().values(), key=lambda item: len(json.dumps(item.body)))
    assert len(json.dumps(longest.body)) < 8_000, longest.id


def test_an_unknown_id_names_near_ones() -> None:
    with pytest.raises(NotFound, match=r"no operation 'sesion\.prompt'.*session\.prompt"):
        operation("sesion.prompt")


def test_an_id_like_no_other_says_how_to_look() -> None:
    with pytest.raises(NotFound, match="by words"):
        operation("qqqq")
