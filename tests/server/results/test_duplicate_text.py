"""A long text of a result is not repeated in its data."""

from typing import Any, cast

import pytest
from mcp_types import CallToolResult, TextContent

from opencode_mcp.server.definition.tool import ToolSpec
from opencode_mcp.server.operations.operation_tool import tool_of
from opencode_mcp.server.results.duplicate_text import IN_TEXT, LONG, without_repeated
from opencode_mcp.server.tools import TOOLS
from tests.harness.each import for_each
from tests.harness.operations import operation

FIELDS = ("text", "pending.asks", "runs.pending.asks")
LENGTHY = "x" * LONG


def data_of(data: dict[str, Any] | None, *fields: str) -> dict[str, Any] | None:
    result = CallToolResult(content=[TextContent(type="text", text="told")], structured_content=data)
    outcome = without_repeated(result, fields or FIELDS)
    assert outcome.content == result.content
    return outcome.structured_content


def test_a_long_field_is_left_out_and_named() -> None:
    assert data_of({"status": "completed", "text": LENGTHY}) == {"status": "completed", IN_TEXT: ["text"]}


def test_a_field_within_a_list_is_left_out_of_each_item() -> None:
    runs = [{"pending": [{"request_id": "per_1", "asks": LENGTHY}, {"request_id": "per_2", "asks": "short"}]}, {}]
    kept = [{"pending": [{"request_id": "per_1"}, {"request_id": "per_2"}]}, {}]
    assert data_of({"runs": runs, "text": ""}) == {"runs": kept, "text": "", IN_TEXT: ["runs.pending.asks"]}


def test_a_reply_keeps_its_ids_unless_it_is_large() -> None:
    reply = {"id": "ses_1", "title": LENGTHY}
    assert data_of({"reply": reply}, "reply") == {"reply": reply}
    assert data_of({"reply": [reply] * 20}, "reply") == {IN_TEXT: ["reply"]}


def test_many_short_items_count_together() -> None:
    matches = [{"line": number, "text": "x" * 20} for number in range(20)]
    kept = data_of({"matches": matches}, "matches.text")
    assert kept == {"matches": [{"line": number} for number in range(20)], IN_TEXT: ["matches.text"]}


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"text": "short", "pending": []},
        {"output": {"text": LENGTHY}, "pending": [{"other": {"asks": LENGTHY}}]},
        {"pending": LENGTHY, "runs": {"asks": LENGTHY}},
    ],
    ids=["none", "empty", "short", "the same name elsewhere", "another shape"],
)
def test_all_else_is_left_alone(data: dict[str, Any] | None) -> None:
    assert data_of(data) == data


@for_each("spec", TOOLS)
def test_no_tool_promises_a_field_that_may_be_left_out(spec: ToolSpec) -> None:
    required = cast("list[str]", (spec.output_schema or {}).get("required", []))
    assert not set(spec.texts) & set(required)


def test_an_operation_says_its_reply_once_however_it_is_called() -> None:
    texts = {spec.name: spec.texts for spec in TOOLS if "operation" in spec.name}
    assert texts["opencode_read_operation"] == texts["opencode_call_operation"] == ("reply",)
    assert tool_of([operation("session.get")]).texts == ("reply",)
