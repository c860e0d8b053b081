"""The operations that are not plain calls: they stream, talk, block, or need a person and a browser.

Each has arguments of the bridge's own beside OpenCode's (for how long, until what). All are bounded: in time, and in
what they bring.
"""

from collections.abc import Mapping

from opencode_mcp.opencode.operations.catalog import Schema
from opencode_mcp.server.operations import answering, finding, listening, reading, visiting
from opencode_mcp.server.operations.listening import collect_events
from opencode_mcp.server.operations.plain import send
from opencode_mcp.server.operations.request import Special, number, seconds, text
from opencode_mcp.server.operations.stopping import abort_tree, delete_tree
from opencode_mcp.server.operations.updating import update_session
from opencode_mcp.server.operations.visiting import visit_terminal
from opencode_mcp.server.operations.waiting import bounded, sign_in

LARGEST = 1000
"""Rows or columns of a terminal."""
SIGN_IN = 120
"""Seconds that a person has to sign in."""
EVENTS: Mapping[str, Schema] = {
    **seconds(listening.SECONDS),
    "until": text("Stop after an event of this type, such as session.idle"),
    "count": number(f"Stop after so many; {listening.COUNT} without it", 1, listening.MOST),
    "types": {"type": "array", "items": {"type": "string"}, "description": "Only these; message.* takes all such"},
}
EVENTS_OF_SESSION: Mapping[str, Schema] = {
    **EVENTS,
    "sessionID": {"type": "string", "pattern": "^ses", "description": "Only of this session"},
}
TERMINAL: Mapping[str, Schema] = {
    "input": text("What to type; end a line with \\r"),
    "wait_for": text("Read until this is printed; * in it stands for anything. The terminal echoes the input, too"),
    **seconds(visiting.SECONDS),
    "cursor": number("Read from here on: 0 is all, -1 only what is new; without it, 0, or -1 with input", -1, 2**53),
    "rows": number("Resize to so many rows", 1, LARGEST),
    "cols": number("Resize to so many columns", 1, LARGEST),
}
TICKET_AND_CURSOR = frozenset({"ticket", "cursor"})

DOLLAR_SCHEMA = frozenset({"$schema"})
"""Some models' hosts refuse a tool with an argument of such a name, and it says nothing to OpenCode."""

SPECIAL: Mapping[str, Special] = {
    "event.subscribe": Special(collect_events, EVENTS_OF_SESSION),
    "global.event": Special(collect_events, EVENTS_OF_SESSION),
    "v2.event.subscribe": Special(collect_events, EVENTS_OF_SESSION),
    "v2.session.events": Special(collect_events, EVENTS),
    "file.list": Special(reading.list_folder),
    "file.read": Special(reading.read_file),
    "v2.fs.list": Special(reading.list_folder),
    "v2.fs.read": Special(reading.read_file),
    "find.files": Special(finding.find_files),
    "v2.fs.find": Special(finding.find_entries),
    "pty.connect": Special(visit_terminal, TERMINAL, TICKET_AND_CURSOR),
    "v2.pty.connect": Special(visit_terminal, TERMINAL, TICKET_AND_CURSOR),
    "session.abort": Special(abort_tree),
    "session.delete": Special(delete_tree),
    "session.update": Special(update_session),
    "config.update": Special(send, hidden=DOLLAR_SCHEMA),
    "global.config.update": Special(send, hidden=DOLLAR_SCHEMA),
    "tui.control.next": Special(bounded(5, "No request came"), seconds(5)),
    "v2.session.wait": Special(bounded(30, "The session was not done"), seconds(30)),
    "mcp.auth.authenticate": Special(bounded(SIGN_IN, "Nobody signed in"), seconds(SIGN_IN)),
    "provider.oauth.callback": Special(bounded(SIGN_IN, "Nobody signed in"), seconds(SIGN_IN)),
    "mcp.auth.start": Special(sign_in("authorizationUrl", "Then call mcp.auth.callback with the code.")),
    "provider.oauth.authorize": Special(sign_in("url", "Then call provider.oauth.callback with the same method.")),
    "permission.reply": Special(answering.answer_permission),
    "permission.respond": Special(answering.respond_to_permission),
    "question.reply": Special(answering.answer_question),
    "question.reject": Special(answering.reject_question),
    "v2.session.permission.reply": Special(answering.answer_second),
    "v2.session.question.reply": Special(answering.answer_second),
    "v2.session.question.reject": Special(answering.answer_second),
    "v2.integration.connect.oauth": Special(sign_in("url", "Then call v2.integration.attempt.status.")),
}
"""By operation id."""
