"""Reasons why a run ended early: the call that was refused, and the kind of failure."""

import pytest

from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.runs.outcome.endings import FailureKind, failure_kind, refusal_of
from tests.harness.each import for_each

REJECTED = "The user rejected permission to use this specific tool call."


def ended_with(**state: object) -> Message:
    info = {"id": "msg_2", "sessionID": "ses_1", "role": "assistant"}
    return Message.read(
        {"info": info, "parts": [{"type": "tool", "tool": "bash", "state": {"status": "error", **state}}]}
    )


@pytest.mark.parametrize("error", [REJECTED, "The user declined this tool call"])
def test_a_refused_call_is_named_on_one_line(error: str) -> None:
    last = ended_with(error=error, input={"command": "git push\nnow"})
    assert refusal_of(last) == (
        "The run ended because the permission for bash: git push now was refused, not because the task was done."
    )


@pytest.mark.parametrize("error", ["No such file", f"{REJECTED} Use the other file.", ""])
def test_a_call_that_failed_otherwise_ends_no_run(error: str) -> None:
    assert refusal_of(ended_with(error=error)) == ""


@for_each(
    ("name", "data", "kind"),
    [
        ("APIError", {"message": "No", "statusCode": 401}, "credentials"),
        ("ProviderAuthError", {"message": "No"}, "credentials"),
        ("UnknownError", {"message": "Google API key is missing"}, "credentials"),
        ("ContextOverflowError", {"message": "Too long"}, "context"),
        ("MessageOutputLengthError", {}, "length"),
        ("StructuredOutputError", {"message": "None given"}, "answer"),
        ("APIError", {"message": "Overloaded", "statusCode": 500}, "model"),
        ("APIError", {"message": "Slow down", "statusCode": 429}, "model"),
        ("APIError", {"message": "No such tool", "statusCode": 400}, "request"),
        ("APIError", {"message": "No such model", "statusCode": 404}, "request"),
        ("UnknownError", {"message": "Odd"}, "model"),
    ],
)
def test_failures_differ_in_what_helps(name: str, data: dict[str, object], kind: FailureKind) -> None:
    assert failure_kind(Failure(name=name, data=data)) == kind
