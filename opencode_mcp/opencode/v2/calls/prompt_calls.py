"""Calls of OpenCode 2 that start work in a session, and the one that stops it."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from opencode_mcp.errors import (
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    NotFound,
)
from opencode_mcp.opencode.http.transport import READ_TIMEOUT_SECONDS
from opencode_mcp.opencode.v2 import conversions
from opencode_mcp.opencode.v2.calls.inbox import SessionInbox
from opencode_mcp.opencode.vocabulary.submission import Accepted
from opencode_mcp.text.json_values import as_map, as_maps

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.submission import CommandSubmission, PromptSubmission, ShellSubmission
from opencode_mcp.opencode.v2.calls.message_calls import MessageCalls
from opencode_mcp.opencode.v2.calls.project_calls import ProjectCalls

logger = logging.getLogger(__name__)


class PromptCalls(SessionInbox, MessageCalls, ProjectCalls):
    """Calls that start and stop work."""

    async def submit_prompt(
        self, session_id: str, directory: str, prompt: "PromptSubmission", *, timeout: float = READ_TIMEOUT_SECONDS
    ) -> Accepted:
        """Call ``session.prompt``, after ``session.switchAgent`` and ``session.switchModel`` where they are needed.

        ``delivery`` is ``queue``: a prompt that another client has started meanwhile is finished first. If the reply is
        lost, the prompt is sent again with the same id: OpenCode 2 takes a prompt of one id once.
        """
        changed = await self._choose(session_id, directory, prompt.agent, prompt.model, prompt.variant)
        body: dict[str, object] = {"id": prompt.message_id, "text": prompt.text, "delivery": "queue"}
        if prompt.files:
            body["files"] = [{"uri": file.url, "name": file.filename} for file in prompt.files]
        if prompt.metadata:
            body["metadata"] = prompt.metadata
        send = partial(self.call, "session.prompt", path={"sessionID": session_id}, body=body, queued=False)
        try:
            await send(timeout=timeout)
        except (BackendTimeout, BackendUnavailable) as error:
            if isinstance(error, BackendUnavailable) and not error.sent:
                raise
            await _send_again(send, timeout, error)
        return replace(changed, message_id=prompt.message_id)

    async def _choose(self, session_id: str, directory: str, agent: str, model: str, variant: str) -> Accepted:
        """Set the agent and the model of an idle session, unless it has them; return what was changed."""
        changed = Accepted(message_id="")
        if not agent and not model and not variant:
            return changed
        path = {"sessionID": session_id}
        session = as_map(await self._data("session.get", path=path))
        if agent and session.get("agent") != agent:
            await self.call("session.switchAgent", path=path, body={"agent": agent})
            changed = replace(changed, agent=agent)
        wanted = await self._wanted_model(directory, agent, model, variant)
        if wanted and dict(as_map(session.get("model"))) != wanted:
            await self.call("session.switchModel", path=path, body={"model": wanted})
            changed = replace(changed, model=conversions.model_name(wanted), variant=wanted.get("variant", ""))
        return changed

    async def _wanted_model(self, directory: str, agent: str, model: str, variant: str) -> dict[str, str]:
        """Return the reference to a model; without a name that of the agent, which OpenCode 2 itself does not use."""
        if model:
            return conversions.model_reference(model, variant)
        own = await self._model_of_agent(directory, agent) if agent else {}
        if own:
            return own | ({"variant": variant} if variant else {})
        return conversions.model_reference(await self.default_model(directory), variant) if variant else {}

    async def _model_of_agent(self, directory: str, agent: str) -> dict[str, str]:
        await self._settle(directory)
        for item in as_maps(await self._data("agent.list", directory=directory)):
            if item.get("id") == agent:
                return {name: str(value) for name, value in as_map(item.get("model")).items() if value}
        return {}

    async def submit_command(
        self, session_id: str, directory: str, command: "CommandSubmission", *, timeout: float
    ) -> Accepted:
        """Call ``session.command``, then search for its prompt: OpenCode 2 chooses the id and does not return it.

        Raises:
            BackendFailed: OpenCode accepted the command, and no prompt of it can be found.
        """
        changed = await self._choose(session_id, directory, command.agent, command.model, "")
        known = await self._known_prompts(session_id)
        body = {"name": command.name, "text": command.arguments, "delivery": "queue"}
        lost: BridgeError | None = None
        try:
            await self.call("session.command", path={"sessionID": session_id}, body=body, timeout=timeout, queued=False)
        except (BackendTimeout, BackendUnavailable) as error:
            if isinstance(error, BackendUnavailable) and not error.sent:
                raise
            lost = error
        if prompt := await self._new_prompt(session_id, known):
            return replace(changed, message_id=prompt)
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


async def _send_again(send: Callable[..., Awaitable[object]], timeout: float, first: BridgeError) -> None:
    """Send a prompt whose reply was lost once more.

    Raises:
        BridgeError: The first failure, since whatever the second one says, OpenCode may have the prompt.
    """
    try:
        await send(timeout=timeout)
    except BridgeError as error:
        logger.info("sending a prompt again failed: %s", error)
        raise first from error
