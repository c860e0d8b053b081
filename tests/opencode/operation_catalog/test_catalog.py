"""The tables of operations: complete, explained, and made from what OpenCode says of itself."""

import csv
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from opencode import resources

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.operation_catalog.arguments import arguments_of
from opencode_mcp.opencode.operation_catalog.catalog import V1, V2, named_operation
from opencode_mcp.opencode.tables.annotation_types import Effect, Group
from opencode_mcp.opencode.tables.operation_table import OperationTable
from scripts.client_document import document as client_document
from scripts.generate_operations_doc import PAGES, page
from scripts.refresh_operations import TABLES, ask
from scripts.refresh_operations import table as written
from tests.harness.each import for_each
from tests.harness.operations import operation
from tests.harness.servers.opencode import binary

BOTH = for_each("table", (V1, V2))
FILES = {V1: TABLES[1], V2: TABLES[2]}
REQUIRED = Path(__file__).with_name("required_operations.tsv")


def required() -> list[dict[str, str]]:
    with REQUIRED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@for_each("row", required())
def test_a_required_operation_is_in_the_table_with_its_method_and_path(row: dict[str, str]) -> None:
    found = operation(row["id"])
    assert (found.method, found.path) == (row["method"], row["path"])


@BOTH
def test_every_operation_has_annotations_and_a_description_and_there_are_no_dead_keys(table: OperationTable) -> None:
    listed = {row["id"] for row in json.loads(FILES[table].read_text(encoding="utf-8"))["operations"]}
    assert set(table.texts.annotations) == listed, f"edit annotations.py beside {FILES[table]}"
    assert set(table.texts.descriptions) == listed, f"edit descriptions.py beside {FILES[table]}"


@BOTH
def test_a_description_is_one_short_sentence(table: OperationTable) -> None:
    texts = [table.texts.descriptions, *table.texts.arguments.values()]
    every = [text for described in texts for text in described.values()]
    assert [text for text in every if not re.fullmatch(r"[A-Za-z0-9`].{9,98}\.", text)] == []


@BOTH
def test_only_arguments_that_exist_are_described(table: OperationTable) -> None:
    for operation_id, texts in table.texts.arguments.items():
        arguments = arguments_of(table.operation(operation_id))
        known = {name: argument.schema.get("description") for name, argument in arguments.items()}
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


@BOTH
def test_the_table_holds_no_sentence_of_opencodes(table: OperationTable) -> None:
    sentences = set(prose(json.loads(FILES[table].read_text(encoding="utf-8"))["operations"]))
    assert [text for text in sentences if not text.startswith(("Fields: ", "Nested "))] == []


@pytest.mark.integration
def test_the_table_is_what_the_installed_opencode_says_of_itself() -> None:
    executable = str(binary())
    document = json.loads(ask(executable, "generate"))
    assert FILES[V1].read_text(encoding="utf-8") == written(document, ask(executable, "--version").strip())
    ours = {text.rstrip(".") for text in V1.texts.descriptions.values()}
    assert {text.rstrip(".") for text in prose(document)} & ours == set(), "write these descriptions in our own words"


def test_the_table_of_opencode_2_is_what_the_installed_client_shows() -> None:
    assert FILES[V2].read_text(encoding="utf-8") == written(client_document(), V2.version)


def test_no_description_of_opencode_2_is_the_clients() -> None:
    ours = {text.rstrip(".") for text in V2.texts.descriptions.values()}
    assert set(client_sentences()) & ours == set(), "write these descriptions in our own words"


def client_sentences() -> Iterator[str]:
    """Return every sentence in the modules of the client that describe operations."""
    for info in pkgutil.iter_modules(resources.__path__):
        source = inspect.getsource(importlib.import_module(f"{resources.__name__}.{info.name}"))
        yield from (sentence.strip(' ".') for sentence in re.split(r"\. |\n", source))


@for_each(("file", "table"), PAGES.items())
def test_the_page_of_operations_is_current(file: Path, table: OperationTable) -> None:
    assert file.read_text(encoding="utf-8") == page(table), "run `python -m scripts.generate_operations_doc`"


def test_every_group_and_effect_is_in_use() -> None:
    known = [*V1.operations.values(), *V2.operations.values()]
    assert {item.group for item in known} == set(get_args(Group))
    assert {item.effect for item in known} == set(get_args(Effect))


@BOTH
def test_what_a_path_names_is_a_parameter_of_the_path(table: OperationTable) -> None:
    for item in table.operations.values():
        in_path = {parameter.name for parameter in item.parameters if parameter.location == "path"}
        assert {part[1:-1] for part in item.path.split("/") if part.startswith("{")} == in_path, item.id


@BOTH
def test_two_operations_never_share_a_method_and_a_path(table: OperationTable) -> None:
    calls = [(item.method, item.path) for item in table.operations.values()]
    assert len(set(calls)) == len(calls)


@BOTH
def test_only_a_post_may_count_as_a_read_besides_a_get(table: OperationTable) -> None:
    reading = [item for item in table.operations.values() if item.effect == "read"]
    assert [item.id for item in reading if item.method not in {"GET", "POST"}] == []


TAKING_BACK = {
    V1: {"session.unshare", "v2.integration.attempt.cancel"},
    V2: {
        "integration.command.cancel",
        "integration.oauth.cancel",
        "session.form.cancel",
        "session.inbox.cancel",
        "session.revert.clear",
    },
}


@BOTH
def test_an_operation_that_deletes_is_marked_destructive_unless_it_takes_back(table: OperationTable) -> None:
    mild = {item.id for item in table.operations.values() if item.method == "DELETE" and not item.destructive}
    assert mild == TAKING_BACK[table]


@BOTH
def test_an_operation_that_lets_a_waiting_tool_run_counts_as_execution(table: OperationTable) -> None:
    known = table.operations.values()
    replies = [item for item in known if item.path.endswith(("/reply", "/permissions/{permissionID}"))]
    assert {item.effect for item in replies} == {"execute"}


@BOTH
def test_a_caller_with_the_right_to_write_cannot_set_rules_credentials_or_the_configuration(
    table: OperationTable,
) -> None:
    decisive = re.compile(r"/(permission/saved|credential|auth|config|mcp|plugin|reload)\b")
    changing = [item for item in table.operations.values() if item.effect == "write" and decisive.search(item.path)]
    assert [item.id for item in changing] == []


ENDLESS = {
    V1: ["event.subscribe", "global.event", "pty.connect", "v2.session.events"],
    V2: ["event.subscribe", "session.log"],
}


@BOTH
def test_an_answer_without_an_end_is_marked(table: OperationTable) -> None:
    assert all(table.operation(operation_id).streams for operation_id in ENDLESS[table])


WITH_SECRETS = ["credential.list", "server.pair", "server.connect", "voice.session"]


@for_each("operation_id", WITH_SECRETS)
def test_an_operation_whose_answer_is_a_secret_does_not_count_as_a_read(operation_id: str) -> None:
    assert V2.operation(operation_id).effect == "admin"


RUNS = [
    *("file.write", "generate.text", "permission.reply", "pty.create", "session.command", "session.environment"),
    *("session.form.reply", "session.generate", "session.inbox.update", "session.prompt", "session.shell"),
    *("session.skill", "session.synthetic", "shell.create", "vcs.init", "websearch.query", "worktree.create"),
]


@for_each("operation_id", RUNS)
def test_an_operation_of_opencode_2_that_runs_something_counts_as_execution(operation_id: str) -> None:
    assert V2.operation(operation_id).effect == "execute"


def test_a_ticket_for_a_terminal_is_asked_for_with_its_header() -> None:
    tickets = [item for item in V2.operations.values() if item.path.endswith("/connect-token")]
    assert [dict(item.headers) for item in tickets] == [{"x-opencode-ticket": "1"}] * 2


@BOTH
def test_the_table_stays_small(table: OperationTable) -> None:
    assert FILES[table].stat().st_size < 150_000
    longest = max(table.operations.values(), key=lambda item: len(json.dumps(item.body)))
    assert len(json.dumps(longest.body)) < 8_000, longest.id


def test_an_unknown_id_names_similar_ones() -> None:
    with pytest.raises(NotFound, match=r"no operation 'sesion\.prompt'.*session\.prompt"):
        named_operation(V1, "sesion.prompt")


def test_an_id_like_no_other_says_how_to_look() -> None:
    with pytest.raises(NotFound, match="by words"):
        named_operation(V1, "qqqq")
