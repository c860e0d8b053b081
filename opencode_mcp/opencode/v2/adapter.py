"""Calls of OpenCode 2; each uses a row of its operation table.

Design. OpenCode 2 has sessions with an inbox and executions, where OpenCode 1 has prompts. The modules in ``calls/``,
with the conversions beside this one, present them in the words of ``adapter.Adapter``. What version 2 lacks or does
otherwise is explained in the method that it concerns. Agent and model are properties of a session there: they are set
before a prompt is sent, which the caller does only while the session is idle.

A method makes the calls that its docstring names, and raises what ``codec.decode`` and the sender raise.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from opencode_mcp.opencode.configuration_changes import CHANGES_LOADED
from opencode_mcp.opencode.http_client.codec import encode
from opencode_mcp.opencode.operation_caller import RequestSender
from opencode_mcp.opencode.tables.operation_table import OperationTable
from opencode_mcp.opencode.v2.calls.request_calls import RequestCalls
from opencode_mcp.opencode.v2.calls.session_calls import SessionCalls
from opencode_mcp.opencode.v2.event_parsing.event_parser import EventParser2
from opencode_mcp.opencode.v2.event_parsing.event_stream import parse_lines
from opencode_mcp.opencode.vocabulary.backend_events import Event
from opencode_mcp.opencode.vocabulary.features import Features, Rereading

REREADING = Rereading(
    operation="debug.location.evict",
    consequence="loses what the runs there have asked, so that they never continue",
    user_settings=True,
    fails_on_invalid_file=False,
    changes_loaded=CHANGES_LOADED[2],
)


class OpenCode2(SessionCalls, RequestCalls):
    """Calls of an OpenCode 2; see ``adapter.Adapter``."""

    features = Features(
        output_schemas=False,
        command_ids=False,
        retry_status=False,
        busy_anywhere=True,
        todos=False,
        message_reader="session.message.get",
        keeps_removed_cost=True,
        unarchives=True,
        archived_lister="session.list",
        archived_rows="data[?time.archived]",
        mentions_in_worktree=False,
        diffs_grow=False,
        undo_restores_diff=True,
        unusable_models=False,
        idle_questions=True,
        deletes_branches=False,
        resumes_runs=True,
        mcp_settings=("mcp", "servers"),
        rereading=REREADING,
    )

    def __init__(self, sender: RequestSender, table: OperationTable) -> None:
        super().__init__(sender, table)
        self._event_parser = EventParser2()

    @asynccontextmanager
    async def events(self, *, silence: float) -> AsyncGenerator[AsyncIterator[list[Event]]]:
        """Follow the events of every directory (``event.subscribe``)."""
        request = encode(self._table.operation("event.subscribe"))
        async with (
            self._sender.events(request, silence=silence) as lines,
            aclosing(parse_lines(lines, self._event_parser)) as events,
        ):
            yield events
