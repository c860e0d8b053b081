"""Calls of OpenCode 2 that start work in a session, and the one that stops it."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from opencode_mcp.errors import BackendError, BackendFailed, BridgeError, NotFound
from opencode_mcp.opencode.http_client.transport import READ_TIMEOUT_SECONDS
from opencode_mcp.opencode.lost_replies import is_reply_lost
from opencode_mcp.opencode.v2.calls.inbox import SEARCH_SECONDS, SessionInbox
from opencode_mcp.opencode.vocabulary.submission import Receipt, SessionSettings

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.submission import CommandSubmission, PromptSubmission, ShellSubmission
from opencode_mcp.opencode.v2.calls.message_calls import MessageCalls
from opencode_mcp.opencode.v2.calls.settings_calls import SettingsCalls

logger = logging.getLogger(__name__)

SENDS = 2
"""Number of times that a prompt is sent at most, if no reply to it arrives."""


class PromptCalls(SessionInbox, MessageCalls, SettingsCalls):
    """Calls that start and stop work."""

    async def submit_prompt(
        self, session_id: str, directory: str, prompt: "PromptSubmission", *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> Receipt:
        """Call ``session.prompt``, after ``session.switchAgent`` and ``session.switchModel`` where they are needed.

        ``delivery`` is ``queue``: a prompt that another client has started meanwhile is finished first. If the reply is
        lost, the prompt is sent again with the same id: OpenCode 2 takes a prompt of one id once. Both share the time.
        """
        settings = SessionSettings(agent=prompt.agent, model=prompt.model, variant=prompt.variant)
        changed = Receipt(message_id="")
        if not prompt.is_first and settings != SessionSettings():
            changed = await self._choose(await self._session(session_id), directory, settings)
        body, path = _prompt_body(prompt), {"sessionID": session_id}
        send = partial(self.call, "session.prompt", path=path, body=body, queued=False, timeout=timeout / SENDS)
        try:
            await send()
        except BackendError as error:
            if not is_reply_lost(error):
                raise
            await _send_again(send, error)
        return replace(changed, message_id=prompt.message_id)

    async def submit_command(
        self, session_id: str, directory: str, command: "CommandSubmission", *, timeout: float, begin_within: float
    ) -> Receipt:
        """Call ``session.command``, then search for its prompt: OpenCode 2 chooses the id and does not return it.

        A command may name an agent and a model of its own, which the session has from then on. Half of the time is for
        the reply, and a quarter for the search, also if no reply came.

        Raises:
            BackendFailed: OpenCode accepted the command, and no prompt of it can be found.
        """
        del timeout
        if command.is_first:
            return Receipt(message_id=await self._send_command(session_id, command, begin_within, known=[]))
        before = await self._session(session_id)
        await self._choose(before, directory, SessionSettings(agent=command.agent, model=command.model))
        known = await self._known_prompts(session_id)
        prompt = await self._send_command(session_id, command, begin_within, known)
        return replace(await self._changed_since(before), message_id=prompt)

    async def _send_command(
        self, session_id: str, command: "CommandSubmission", seconds: float, known: list[str]
    ) -> str:
        """Send a command, and return the id of its prompt, which is none of those that are known."""
        body, path = {"name": command.name, "text": command.arguments, "delivery": "queue"}, {"sessionID": session_id}
        lost: BridgeError | None = None
        try:
            await self.call("session.command", path=path, body=body, timeout=seconds / 2, queued=False)
        except BackendError as error:
            if not is_reply_lost(error):
                raise
            lost = error
        try:
            prompt = await self._new_prompt(session_id, known, within=min(SEARCH_SECONDS, seconds / 4))
        except BridgeError as error:
            # OpenCode may have the command, whatever the search failed at.
            raise lost or BackendFailed(f"The prompt of {command.name!r} cannot be read: {error}") from error
        if prompt:
            return prompt
        raise lost or BackendFailed(
            f"OpenCode ran the command {command.name!r}, which gave the session no prompt.",
            hint="opencode_session shows what the session did.",
        )

    async def submit_shell(self, session_id: str, directory: str, shell: "ShellSubmission", *, timeout: float) -> None:
        """Call ``session.shell``, which answers when the command has ended."""
        del directory
        body = {"id": shell.message_id, "command": shell.line}
        await self.call("session.shell", path={"sessionID": session_id}, body=body, timeout=timeout, queued=False)

    async def session_abort(self, session_id: str, directory: str = "") -> None:
        """Call ``session.interrupt``, then ``session.inbox.cancel`` for every prompt that was not begun.

        An interrupt leaves such prompts in the inbox, and the next prompt would begin them too. It does not end a
        shell line of a person's either: ``shell.remove`` does.
        """
        try:
            await self.call("session.interrupt", path={"sessionID": session_id})
            await self._empty_inbox(session_id)
            if directory and (shell := await self.running_shell(session_id, directory)):
                await self.call("shell.remove", path={"id": shell}, directory=directory)
        except NotFound:
            return


def _prompt_body(prompt: "PromptSubmission") -> dict[str, object]:
    body: dict[str, object] = {"id": prompt.message_id, "text": prompt.text, "delivery": "queue"}
    if prompt.files:
        body["files"] = [{"uri": file.url, "name": file.filename} for file in prompt.files]
    if prompt.metadata:
        body["metadata"] = prompt.metadata
    return body


async def _send_again(send: Callable[[], Awaitable[object]], first: BridgeError) -> None:
    """Send a prompt whose reply was lost once more.

    Raises:
        BridgeError: The first failure, since whatever the second one says, OpenCode may have the prompt.
    """
    try:
        await send()
    except BridgeError as error:
        logger.info("sending a prompt again failed: %s", error)
        raise first from error
