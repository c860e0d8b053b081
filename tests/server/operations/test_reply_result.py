"""The result of an operation says what an empty reply means, and refuses an offset after the end."""

from typing import Any

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.configuration_changes import CHANGES_LOADED
from opencode_mcp.opencode.operation_catalog.catalog import V1, V2
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.operations.empty_replies import MEANINGS, NEXT
from opencode_mcp.server.operations.handlers.handler import OperationResult
from opencode_mcp.server.operations.reply_result import ReplyPart, reply_result
from tests.harness.bridges.bridge import text_of
from tests.harness.each import for_each


def result_text(
    operation_id: str, value: object, *notes: str, generation: Generation = 1, part: ReplyPart | None = None
) -> str:
    table = V1 if generation == 1 else V2
    return text_of(reply_result(table.operation(operation_id), OperationResult(value, notes=[*notes]), part))


EMPTY: tuple[tuple[str, Generation, object], ...] = (
    ("mcp.status", 1, {}),
    ("mcp.list", 2, {"location": {"directory": "/work"}, "data": []}),
)


@for_each(("operation_id", "generation", "value"), EMPTY)
def test_an_empty_list_of_mcp_servers_says_that_none_is_loaded_and_when_a_new_entry_is_read(
    operation_id: str, generation: Generation, value: object
) -> None:
    said = result_text(operation_id, value, generation=generation)
    assert said.endswith(f"\nNo MCP server is loaded. {CHANGES_LOADED[generation]}")


@for_each("operation_id", sorted(NEXT))
def test_a_change_of_the_mcp_servers_without_a_reply_says_what_shows_its_outcome(operation_id: str) -> None:
    said = result_text(operation_id, None, generation=2)
    assert said.endswith("shows the servers and whether they are connected.")
    assert '\nNext: opencode_read_operation(operation="mcp.list") shows ' in said
    assert "Next: " not in result_text("session.interrupt", None, generation=2)


def test_the_next_step_is_not_named_after_a_reply_that_shows_the_outcome() -> None:
    assert "Next: " not in result_text("mcp.add", {"own": {"status": "connected"}})
    assert "Next: " not in result_text("mcp.connect", value=True)


def test_another_empty_reply_says_so_with_a_note_that_explains_it() -> None:
    assert result_text("lsp.status", []).endswith(
        "\nThe reply is empty. The answer is empty unless the configuration enables LSP."
    )
    assert result_text("app.agents", []).endswith("[]\nThe reply is empty.")


def test_an_expression_that_finds_nothing_in_an_empty_reply_is_not_blamed() -> None:
    said = result_text("mcp.list", {"data": []}, generation=2, part=ReplyPart("[].name"))
    assert "\n[]\nNo MCP server is loaded. " in said
    assert "`select` finds nothing there" in result_text(
        "mcp.list", {"data": [{"name": "a"}]}, generation=2, part=ReplyPart("[].x")
    )


def test_a_reply_that_is_not_empty_or_that_lacks_rows_on_purpose_is_not_called_empty() -> None:
    assert "loaded" not in result_text("mcp.status", {"own": {"status": "connected"}})
    assert result_text("session.status", {}, "3 rows are left out.").endswith("{}\n3 rows are left out.")
    assert "empty" not in result_text("session.update", {})


def test_every_meaning_belongs_to_a_read() -> None:
    tables = (V1.operations, V2.operations)
    assert {name for table in tables for name, item in table.items() if item.effect == "read"} >= MEANINGS.keys()


@pytest.mark.parametrize(("value", "count"), [(["a", "b"], "items in all: 2"), ("abc", "characters in all: 3")])
def test_an_offset_after_the_end_is_refused(value: Any, count: str) -> None:  # noqa: ANN401 - any JSON value
    with pytest.raises(InvalidArgument, match=f"The offset 3 is after the end; {count}"):
        result_text("app.agents", value, part=ReplyPart(offset=3))
    assert result_text("app.agents", value, part=ReplyPart(offset=1)).count("\n") == 1
