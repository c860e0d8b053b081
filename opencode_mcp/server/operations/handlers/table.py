"""Table of the handlers of operations that are not plain calls: they stream, block, or need a person and a browser.

Some take arguments of the bridge besides OpenCode's, such as how long to wait. All have limits in time and size.
"""

from collections.abc import Mapping

from opencode_mcp.server.operations.handlers import (
    event_stream,
    file_reads,
    find_files,
    request_replies,
    terminal_visit,
)
from opencode_mcp.server.operations.handlers.blocking import bounded, sign_in
from opencode_mcp.server.operations.handlers.default_handler import send
from opencode_mcp.server.operations.handlers.event_stream import collect_events
from opencode_mcp.server.operations.handlers.handler import OperationHandler, number, seconds, text
from opencode_mcp.server.operations.handlers.session_stop import abort_tree, delete_tree
from opencode_mcp.server.operations.handlers.session_update import update_session
from opencode_mcp.server.operations.handlers.terminal_visit import visit_terminal
from opencode_mcp.text.json_types import Schema

LARGEST = 1000
"""Rows or columns of a terminal."""
SIGN_IN = 120
"""Seconds that a person has to sign in."""
EVENTS: Mapping[str, Schema] = {
    **seconds(event_stream.SECONDS),
    "until": text("Stop after an event of this type, such as session.idle"),
    "count": number(f"Stop after so many; {event_stream.COUNT} without it", 1, event_stream.MOST),
    "types": {"type": "array", "items": {"type": "string"}, "description": "Only these; message.* takes all such"},
}
EVENTS_OF_SESSION: Mapping[str, Schema] = {
    **EVENTS,
    "sessionID": {"type": "string", "pattern": "^ses", "description": "Only of this session"},
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

HANDLERS: Mapping[str, OperationHandler] = {
    "event.subscribe": OperationHandler(collect_events, EVENTS_OF_SESSION),
    "global.event": OperationHandler(collect_events, EVENTS_OF_SESSION),
    "v2.event.subscribe": OperationHandler(collect_events, EVENTS_OF_SESSION),
    "v2.session.events": OperationHandler(collect_events, EVENTS),
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
"""Handlers by operation id."""
