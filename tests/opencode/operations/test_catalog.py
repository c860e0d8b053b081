"""The table of operations: complete, explained, and made from what OpenCode says of itself."""

import csv
import json
from pathlib import Path
from typing import get_args

import pytest

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.operations.annotations import JUDGEMENTS, Effect, Group
from opencode_mcp.opencode.operations.catalog import operation, operations
from scripts.generate_operations_doc import PAGE, page
from scripts.refresh_operations import TABLE, ask, table
from tests.harness.opencode import binary

REQUIRED = Path(__file__).with_name("required_operations.tsv")


def required() -> list[dict[str, str]]:
    with REQUIRED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("row", required(), ids=lambda row: row["id"])
def test_a_required_operation_is_in_the_table_with_its_method_and_path(row: dict[str, str]) -> None:
    found = operation(row["id"])
    assert (found.method, found.path) == (row["method"], row["path"])


def test_the_judgement_covers_every_operation_and_has_no_dead_keys() -> None:
    assert set(JUDGEMENTS) == set(operations())


@pytest.mark.integration
def test_the_table_is_what_the_installed_opencode_says_of_itself() -> None:
    executable = str(binary())
    document = json.loads(ask(executable, "generate"))
    assert TABLE.read_text(encoding="utf-8") == table(document, ask(executable, "--version").strip())


def test_the_page_of_operations_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m scripts.generate_operations_doc`"


def test_every_operation_says_what_it_does() -> None:
    silent = [item.id for item in operations().values() if not (item.summary or item.description or item.note)]
    assert silent == []


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
