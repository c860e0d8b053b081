"""Table of the handlers of operations that are not plain calls: they stream, block, or need a person and a browser.

Some take arguments of the bridge besides OpenCode's, such as how long to wait. All have limits in time and size.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opencode_mcp.server.operations.handlers import (
    collected_events,
    file_reads,
    find_files,
    request_replies,
    terminal_visit,
)
from opencode_mcp.server.operations.handlers.blocking import bounded, sign_in
from opencode_mcp.server.operations.handlers.chosen_message_ids import add_message
from opencode_mcp.server.operations.handlers.collected_events import collect_events
from opencode_mcp.server.operations.handlers.default_handler import PLAIN, send
from opencode_mcp.server.operations.handlers.handler import OperationHandler, number, seconds, text
from opencode_mcp.server.operations.handlers.lists_while_opening import read_when_open
from opencode_mcp.server.operations.handlers.session_fork import fork_session
from opencode_mcp.server.operations.handlers.session_stop import abort_tree, delete_tree, remove_session
from opencode_mcp.server.operations.handlers.session_update import update_session
from opencode_mcp.server.operations.handlers.terminal_visit import visit_terminal
from opencode_mcp.text.json_types import Schema

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation

LARGEST = 1000
"""Rows or columns of a terminal."""
SIGN_IN = 120
"""Seconds that a person has to sign in."""
SESSION: Mapping[str, Schema] = {
    "sessionID": {"type": "string", "pattern": "^ses", "description": "Only of this session"}
}
TERMINAL: Mapping[str, Schema] = {
    "input": text("What to type; end a line with \\r"),
    "wait_for": text("Read until this is printed; * in it stands for anything. The terminal echoes the input, too"),
    **seconds(terminal_visit.SECONDS),
    "cursor": number("Read from here on: 0 is all, -1 only what is new; without it, 0, or -1 with input", -1, 2**53),
    "rows": number("Resize to so many rows", 1, LARGEST),
    "cols": number("Resize to so many columns", 1, LARGEST),
}
TICKET_AND_CURSOR = frozenset({"ticket", "cursor"})

DOLLAR_SCHEMA = frozenset({"$schema"})
"""Some model APIs refuse a tool with an argument of such a name, and OpenCode does not use it."""


def _events(until: str, types: str) -> Mapping[str, Schema]:
    """Make the schemas of the arguments that limit a stream of events, with examples of types."""
    return {
        **seconds(collected_events.DEFAULT_SECONDS),
        "until": text(f"Stop after an event of this type, such as {until}"),
        "count": number(
            f"Stop after so many; {collected_events.DEFAULT_EVENTS} without it", 1, collected_events.MOST_EVENTS
        ),
        "types": {"type": "array", "items": {"type": "string"}, "description": f"Only these; {types}.* takes all such"},
    }


EVENTS_1 = _events("session.idle", "message")
EVENTS_2 = _events("session.execution.succeeded", "session.tool")
HANDLERS_1: Mapping[str, OperationHandler] = {
    "event.subscribe": OperationHandler(collect_events, {**EVENTS_1, **SESSION}),
    "global.event": OperationHandler(collect_events, {**EVENTS_1, **SESSION}),
    "v2.event.subscribe": OperationHandler(collect_events, {**EVENTS_1, **SESSION}),
    "v2.session.events": OperationHandler(collect_events, EVENTS_1),
    "file.list": OperationHandler(file_reads.list_folder),
    "file.read": OperationHandler(file_reads.read_file),
    "v2.fs.list": OperationHandler(file_reads.list_folder),
    "v2.fs.read": OperationHandler(file_reads.read_file),
    "find.files": OperationHandler(find_files.find_files),
    "v2.fs.find": OperationHandler(find_files.find_entries),
    "pty.connect": OperationHandler(visit_terminal, TERMINAL, TICKET_AND_CURSOR),
    "v2.pty.connect": OperationHandler(visit_terminal, TERMINAL, TICKET_AND_CURSOR),
    "session.abort": OperationHandler(abort_tree),
    "session.delete": OperationHandler(delete_tree),
    "session.fork": OperationHandler(fork_session),
    "session.update": OperationHandler(update_session),
    "config.update": OperationHandler(send, hidden=DOLLAR_SCHEMA),
    "global.config.update": OperationHandler(send, hidden=DOLLAR_SCHEMA),
    "tui.control.next": OperationHandler(bounded(5, "No request came"), seconds(5)),
    "v2.session.wait": OperationHandler(bounded(30, "The session was not done"), seconds(30)),
    "mcp.auth.authenticate": OperationHandler(bounded(SIGN_IN, "Nobody signed in"), seconds(SIGN_IN)),
    "provider.oauth.callback": OperationHandler(bounded(SIGN_IN, "Nobody signed in"), seconds(SIGN_IN)),
    "mcp.auth.start": OperationHandler(sign_in("authorizationUrl", "Then call mcp.auth.callback with the code.")),
    "provider.oauth.authorize": OperationHandler(
        sign_in("url", "Then call provider.oauth.callback with the same method.")
    ),
    "permission.reply": OperationHandler(request_replies.answer_permission),
    "permission.respond": OperationHandler(request_replies.respond_to_permission),
    "question.reply": OperationHandler(request_replies.answer_question),
    "question.reject": OperationHandler(request_replies.reject_question),
    "v2.session.permission.reply": OperationHandler(request_replies.answer_second),
    "v2.session.question.reply": OperationHandler(request_replies.answer_second),
    "v2.session.question.reject": OperationHandler(request_replies.answer_second),
    "v2.integration.connect.oauth": OperationHandler(sign_in("url", "Then call v2.integration.attempt.status.")),
}
"""Handlers of operations of OpenCode 1 by id."""
HANDLERS_2: Mapping[str, OperationHandler] = {
    "event.subscribe": OperationHandler(collect_events, {**EVENTS_2, **SESSION}),
    "session.log": OperationHandler(collect_events, EVENTS_2),
    "file.list": OperationHandler(file_reads.list_folder),
    "file.read": OperationHandler(file_reads.read_file),
    "agent.list": OperationHandler(read_when_open),
    "command.list": OperationHandler(read_when_open),
    "model.default": OperationHandler(read_when_open),
    "model.list": OperationHandler(read_when_open),
    "provider.list": OperationHandler(read_when_open),
    "skill.list": OperationHandler(read_when_open),
    "session.prompt": OperationHandler(add_message),
    "session.remove": OperationHandler(remove_session),
    "session.synthetic": OperationHandler(add_message),
    "session.update": OperationHandler(update_session),
    "session.wait": OperationHandler(bounded(30, "The session was not done"), seconds(30)),
    "permission.reply": OperationHandler(request_replies.decide_permission),
    "session.form.reply": OperationHandler(request_replies.answer_form),
    "session.form.cancel": OperationHandler(request_replies.cancel_form),
    "integration.oauth.connect": OperationHandler(
        sign_in("url", "Then call integration.oauth.complete with the code, or integration.oauth.status.")
    ),
}
"""Handlers of operations of OpenCode 2 by id."""
HANDLERS: "Mapping[Generation, Mapping[str, OperationHandler]]" = {1: HANDLERS_1, 2: HANDLERS_2}


def handler_of(operation: "Operation") -> OperationHandler:
    """Return the handler of an operation; most are plain calls."""
    return HANDLERS[operation.generation].get(operation.id, PLAIN)
