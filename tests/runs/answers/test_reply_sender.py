"""No module but the gate sends an answer to OpenCode."""

from pathlib import Path

import opencode_mcp
from opencode_mcp.server.access.operations_of_tools import ANSWERS
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.handler_table import HANDLERS
from tests.harness.operations import operations

PACKAGE = Path(opencode_mcp.__file__).parent
CALLS = (".permission_reply(", ".question_reply(", ".question_reject(")
FORWARDS = "opencode/client.py"
"""The module that forwards calls to the adapter of the connected OpenCode."""
ANSWERING = ("permission.reply", "permission.respond", "question.reply", "question.reject")


def test_only_the_gate_calls_what_answers() -> None:
    callers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(call in path.read_text(encoding="utf-8") for call in CALLS)
    }
    assert callers == {"runs/answers/reply_sender.py", FORWARDS}


def test_every_operation_that_answers_has_a_performer_of_its_own() -> None:
    found = [name for name in operations() if name.removeprefix("v2.session.") in ANSWERING]
    assert len(found) == len(ANSWERING) + 3
    assert all(HANDLERS[1][name].perform is not send for name in found)
    for answer in ANSWERS.values():
        assert HANDLERS[2][answer[2]].perform is not send
