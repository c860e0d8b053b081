"""A task reads on the wire as the extension wants it; the conformance suite checks its methods."""

from typing import Any

import pytest

from opencode_mcp.server.waiting.tasks_extension import McpTaskStatus, TaskState

BASE = {"task_id": "t", "created": "2026-01-01T00:00:00.000Z", "updated": "2026-01-01T00:00:01.000Z"}
CONTENT: dict[str, Any] = {
    "input_requests": {"q": {"method": "elicitation/create"}},
    "result": {"content": []},
    "error": {"code": -32603, "message": "m"},
}


def state(status: McpTaskStatus, *, message: str = "") -> TaskState:
    return TaskState(**BASE, **CONTENT, status=status, message=message)


@pytest.mark.parametrize(
    ("status", "carries"),
    [
        ("working", set[str]()),
        ("cancelled", set[str]()),
        ("input_required", {"inputRequests"}),
        ("completed", {"result"}),
        ("failed", {"error"}),
    ],
)
def test_an_answer_carries_what_belongs_to_its_status_and_nothing_else(
    status: McpTaskStatus, carries: set[str]
) -> None:
    answer = state(status).as_answer()
    assert answer["resultType"] == "complete"
    assert answer.keys() & {"inputRequests", "result", "error"} == carries


def test_an_offer_is_flat_and_its_times_are_whole_milliseconds() -> None:
    offer = state("working").as_offer()
    assert offer["resultType"] == "task"
    assert offer.keys() == {
        "resultType",
        "taskId",
        "status",
        "createdAt",
        "lastUpdatedAt",
        "ttlMs",
        "pollIntervalMs",
    }
    assert {type(offer["ttlMs"]), type(offer["pollIntervalMs"])} == {int}


def test_a_message_is_included_if_there_is_one() -> None:
    assert state("working", message="bash: ls").as_answer()["statusMessage"] == "bash: ls"
    assert "statusMessage" not in state("working").as_answer()
