"""Prompts on which OpenCode worked when it went away, and what that says about them.

A server that a bridge started has ended when it is gone: nobody goes on with its prompts. A server that no bridge
started may be the same process as before, behind a network that failed, and still work on them; or its service was
started again, and goes on with them. So of such a prompt only the time is known for which its session has been silent.
"""

from collections.abc import Mapping

import anyio

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.opencode.http_client.transport import Transport

PROMPTS_KEPT = 2000


class InterruptedPrompts:
    """Prompts that a server left unfinished when it went away."""

    def __init__(self) -> None:
        self._server: Transport | None = None
        """The server that was followed last, whether or not it is gone since."""
        self._ended = BoundedDict[str, bool](PROMPTS_KEPT)
        """The prompts on which a server of a bridge's worked when it ended."""
        self._silent = BoundedDict[str, tuple[str, float]](PROMPTS_KEPT)
        """By session: the prompt on which a server of the person's worked when it went away, and the time at which it
        was back; no event of the session has come since."""

    def note_server(self, server: Transport, at_work: Mapping[str, str]) -> None:
        """Note that a server is followed, perhaps in the place of another one.

        Args:
            server: The server.
            at_work: The prompts on which the last one was seen at work, by session.
        """
        last, self._server = self._server, server
        if last is None:
            return
        if last.endpoint.process is None or last.endpoint.is_service:
            now = anyio.current_time()
            self._silent.update({session_id: (prompt, now) for session_id, prompt in at_work.items()})
        elif last is not server:
            self._ended.update(dict.fromkeys(at_work.values(), True))

    def note_event(self, session_id: str) -> None:
        """Note that an event of a session has come: it is not silent any more."""
        self._silent.pop(session_id, None)

    def has_ended(self, message_id: str) -> bool:
        """Return True if OpenCode ended while it worked on a prompt: no server goes on with it by itself."""
        return message_id in self._ended

    def silent_seconds(self, session_id: str, message_id: str) -> float:
        """Return the time for which a session has been silent since OpenCode came back in the middle of a prompt.

        It is 0 if OpenCode did not go away then, or if the session works on another prompt.
        """
        prompt, since = self._silent.get(session_id, ("", 0.0))
        return anyio.current_time() - since if prompt == message_id else 0
