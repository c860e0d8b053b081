"""Unfinished answer, which the model is writing: read once, and kept current from the stream. Pure.

It is read after its first text has come. From then on, the stream delivers each part as a whole when it is complete,
and at last the end of the step. The answer is known in full only if

- each part that has grown was delivered as a whole afterwards, so that a lost event is noticed, and
- the stream reported nothing else than texts and the end of the step: a tool call, a retry or a gap spoils it.

An answer that was spoiled is read at its end, as any other.
"""

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.vocabulary.backend_events import Event, PartChanged, PartGrew
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.text.json_types import JsonMap

TEXTS = frozenset({"text", "reasoning"})
STEP_END = "step-finish"


class UnfinishedAnswer:
    """One message of the assistant, from its first text on.

    Args:
        message_id: Id of the message.
    """

    def __init__(self, message_id: str) -> None:
        self._message_id = message_id
        self._message: Message | None = None
        self._growing: set[str] = set()
        """Parts that have grown, and were not delivered as a whole since."""
        self._is_spoiled = False

    @property
    def is_due(self) -> bool:
        """Return True if the message is to be read."""
        return self._message is None and not self._is_spoiled

    def spoil(self) -> None:
        """Note that the message must be read again at its end."""
        self._is_spoiled, self._message = True, None

    def take(self, answers: list[Message], *, is_whole: bool) -> None:
        """Take the answers to the prompt as they were read; it is spoiled if it is not the only one.

        Args:
            answers: The last of the answers.
            is_whole: Whether these are all.
        """
        if is_whole and [answer.info.id for answer in answers] == [self._message_id]:
            self._message = answers[0]
        else:
            self.spoil()

    def add_event(self, event: Event) -> None:
        """Take in an event of the session that is not about the message apart from its parts."""
        match event:
            case PartGrew(message_id=self._message_id, part_id=part_id):
                self._growing.add(part_id)
            case PartChanged(part=part) if part.get("messageID") == self._message_id:
                self._growing.discard(str(part.get("id")))
                self._keep(part)
            case _:
                self.spoil()

    def _keep(self, part: JsonMap) -> None:
        """Put a part in the place of its earlier form, or behind the others."""
        if part.get("type") not in TEXTS | {STEP_END}:
            self.spoil()
        if self._message is None:
            return
        parts: dict[str, object] = {earlier.id: earlier for earlier in self._message.parts}
        parts[str(part.get("id"))] = part
        try:
            self._message = Message.read({"info": self._message.info, "parts": list(parts.values())})
        except BackendFailed:
            self.spoil()

    def ended_by(self, message: MessageInfo) -> Message | None:
        """Return the whole message at the end of its last step; ``None`` if it is not known in full."""
        if self._message is None or self._growing or message.id != self._message_id:
            return None
        return self._message.model_copy(update={"info": message})
