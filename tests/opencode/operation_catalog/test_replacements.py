"""The operations of OpenCode 1 and what OpenCode 2 has in their place."""

import csv
import re
from pathlib import Path

import pytest

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.operation_catalog.catalog import V1, V2, alternatives, difference, named_operation
from opencode_mcp.opencode.v2.replacements import (
    PREVIEW,
    REPLACEMENTS,
    SAME_AS_IN_THE_PREVIEW,
    Replacement,
    advice,
    replacement,
)
from tests.harness.each import for_each

REQUIRED = Path(__file__).with_name("required_operations.tsv")


def test_every_operation_of_opencode_1_is_covered_and_no_other_id() -> None:
    covered = REPLACEMENTS.keys() | {f"{PREVIEW}{name}" for name in SAME_AS_IN_THE_PREVIEW}
    assert covered == V1.operations.keys()


def test_every_required_operation_is_covered() -> None:
    with REQUIRED.open(encoding="utf-8", newline="") as file:
        required = [row["id"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(required) == 103
    assert [name for name in required if replacement(name) is None] == []


@for_each("operation_id", V1.operations)
def test_a_replacement_exists_or_a_note_says_why_none_does(operation_id: str) -> None:
    found = replacement(operation_id)
    assert found
    assert set(found.operations) <= V2.operations.keys()
    assert found.operations or found.note
    assert not found.note or re.fullmatch(r"[A-Z`a-z].{9,170}\.", found.note), found.note


@for_each("operation_id", V1.operations.keys() & V2.operations.keys())
def test_an_id_of_both_generations_is_replaced_by_itself_first_or_says_what_is_different(operation_id: str) -> None:
    found = REPLACEMENTS[operation_id]
    assert found.operations[0] == operation_id or found.note


@for_each(
    ("old", "new"),
    [
        ("session.abort", "session.interrupt"),
        ("session.messages", "message.list"),
        ("session.summarize", "session.compact"),
        ("session.status", "session.active"),
        ("question.reply", "session.form.reply"),
        ("find.files", "file.find"),
        ("auth.set", "integration.connect.key"),
        ("global.health", "server.info"),
        ("v2.session.wait", "session.wait"),
        ("v2.fs.list", "file.list"),
    ],
)
def test_an_id_of_opencode_1_leads_to_the_one_that_replaces_it(old: str, new: str) -> None:
    with pytest.raises(NotFound) as caught:
        named_operation(V2, old)
    assert f"OpenCode 2 has {new}" in caught.value.hint


def test_what_nothing_replaces_says_so_and_why() -> None:
    with pytest.raises(NotFound) as caught:
        named_operation(V2, "session.todo")
    assert caught.value.hint == (
        "session.todo is an operation of OpenCode 1; OpenCode 2 has nothing in its place. "
        "OpenCode 2 keeps no todo list."
    )


def test_an_id_of_neither_generation_gets_similar_ones() -> None:
    with pytest.raises(NotFound) as caught:
        named_operation(V2, "sesion.interrupt")
    assert "Did you mean session.interrupt" in caught.value.hint
    assert replacement("v2.nonsense") is None
    assert advice("session.interrupt") == ""


def test_an_id_that_both_generations_have_says_what_is_different() -> None:
    assert replacement("session.fork") == Replacement(("session.fork",), "`before` names the message.")
    assert advice("session.fork") == "`before` names the message."
    assert difference(V2.operation("session.fork")) == "`before` names the message."
    assert difference(V1.operation("session.fork")) == ""
    assert difference(V2.operation("session.interrupt")) == ""


@for_each(
    ("unknown", "first", "second"),
    [
        ("session.rename", "session.update", "session.update"),
        ("session.archive", "session.update", "session.update"),
        ("session.stop", "session.abort", "session.interrupt"),
        ("permission.deny", "permission.reply", "permission.reply"),
        ("mcp.create", "mcp.add", "mcp.add"),
        ("terminal.create", "pty.create", "pty.create"),
        ("pty.close", "pty.remove", "pty.remove"),
        ("worktree.add", "worktree.create", "worktree.create"),
        ("session.updat", "session.update", "session.update"),
        ("sesion.update", "session.update", "session.update"),
    ],
)
def test_an_id_of_neither_generation_leads_to_the_operation_that_does_what_its_words_say(
    unknown: str, first: str, second: str
) -> None:
    for table, expected in ((V1, first), (V2, second)):
        with pytest.raises(NotFound, match=f"Did you mean {expected}[ ?]"):
            named_operation(table, unknown)
        assert alternatives(table, unknown)[0] == expected


@for_each("unknown", ["xylophone", "", " ", ".", "日本"])
def test_an_id_that_resembles_nothing_gets_no_suggestion(unknown: str) -> None:
    for table in (V1, V2):
        with pytest.raises(NotFound, match="Search for it by words instead"):
            named_operation(table, unknown)


def test_an_id_without_a_successor_gets_no_suggestion() -> None:
    assert list(alternatives(V2, "session.todo")) == []


def test_opencode_1_says_that_an_id_is_one_of_opencode_2() -> None:
    with pytest.raises(NotFound) as caught:
        named_operation(V1, "session.interrupt")
    assert caught.value.hint == (
        "session.interrupt is an operation of OpenCode 2; OpenCode 1 has session.abort instead."
    )
    with pytest.raises(NotFound) as caught:
        named_operation(V1, "session.export")
    assert caught.value.hint == "session.export is an operation of OpenCode 2; this is OpenCode 1."
    with pytest.raises(NotFound, match=r"Did you mean|by words"):
        named_operation(V1, "sesion.abort")
