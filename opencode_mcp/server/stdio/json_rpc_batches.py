"""Batches of JSON-RPC: several messages in one line, whose responses are sent together in one line.

Only protocol 2025-03-26 has them. The SDK handles single messages, so a batch is split before it, and the responses
are joined after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from mcp_types import JSONRPCRequest, RequestId

from opencode_mcp.server.stdio.line_parsing import Line
from opencode_mcp.text.json_types import JsonObject

PROTOCOL = "2025-03-26"


@dataclass(slots=True)
class _Open:
    waiting: set[RequestId]
    answers: list[JsonObject] = field(default_factory=list[JsonObject])


class Batches:
    """Batches of one connection that are not answered yet."""

    def __init__(self) -> None:
        self.allowed = False
        """True if the connection negotiated the protocol with batches."""
        self._open: list[_Open] = []

    def begin(self, line: Line) -> None:
        """Expect the responses to a batch; the line holds those that are known already."""
        waiting = {message.id for message in line.messages if isinstance(message, JSONRPCRequest)}
        answers: list[JsonObject] = [reply.model_dump(by_alias=True, exclude_unset=True) for reply in line.replies]
        if waiting or answers:
            self._open.append(_Open(waiting, answers))

    def note_protocol(self, message: JsonObject) -> None:
        """Allow batches if a message is the response to a handshake that chose the protocol with batches."""
        result = message.get("result")
        if isinstance(result, Mapping) and "serverInfo" in result:
            self.allowed = cast("JsonObject", result).get("protocolVersion") == PROTOCOL

    def outgoing(self, message: JsonObject) -> list[object]:
        """Return what to write for an outgoing message: the message, nothing yet, or the batch that it completes."""
        self.note_protocol(message)
        batch = None if "method" in message else self._batch_of(message.get("id"))
        if batch is None:
            return [message]
        batch.waiting.discard(cast("RequestId", message["id"]))
        batch.answers.append(message)
        return list(self.complete())

    def forget(self, request_id: object) -> None:
        """Expect no response to a request, since it is cancelled."""
        batch = self._batch_of(request_id)
        if batch:
            batch.waiting.discard(cast("RequestId", request_id))

    def complete(self) -> Iterator[Sequence[JsonObject]]:
        """Remove the batches that wait for no more responses, and return those that are not empty."""
        done = [batch for batch in self._open if not batch.waiting]
        self._open = [batch for batch in self._open if batch.waiting]
        return (batch.answers for batch in done if batch.answers)

    def _batch_of(self, request_id: object) -> _Open | None:
        return next((batch for batch in self._open if request_id in batch.waiting), None)
