"""Calls of OpenCode 2 about open permissions and forms."""

from collections.abc import Sequence

from opencode_mcp.errors import (
    NotFound,
)
from opencode_mcp.opencode.v2 import conversions
from opencode_mcp.opencode.v2.calls.prompt_calls import PromptCalls
from opencode_mcp.opencode.v2.request_conversions import NO_SESSION, form_answer, permission_of, question_of
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, PermissionDecision, Question
from opencode_mcp.opencode.vocabulary.wire.wire_object import read_each
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_maps

SETTLED = frozenset({"answered", "cancelled"})
"""States of a form that takes no answer any more."""


class RequestCalls(PromptCalls):
    """Calls about requests."""

    async def permissions(self, directory: str) -> list[Permission]:
        """Call ``permission.request.list``; a directory that was removed has no requests."""
        return read_each(permission_of, await self._rows_in("permission.request.list", directory))

    async def permission_reply(
        self, permission: Permission, directory: str, decision: PermissionDecision, message: str = ""
    ) -> None:
        """Call ``permission.reply``, or ``session.interrupt`` for a rejection without a message.

        Such a rejection would end the run as if OpenCode were shutting down, and the background service of the person
        would resume it.
        """
        path = {"sessionID": permission.session_id, "requestID": permission.id}
        if decision == "reject" and not message:
            # Raises NotFound if it was answered: an interrupt would stop a run that goes on.
            await self.call("permission.get", path=path)
            await self.session_abort(permission.session_id, directory)
            return
        if decision == "always" and not permission.always:
            # Nothing is known of what OpenCode would save permanently.
            decision = "once"
        body = {"decision": decision} | ({"message": message} if message else {})
        await self.call("permission.reply", path=path, body=body)

    async def questions(self, directory: str) -> list[Question]:
        """Call ``form.list``; a directory that was removed has no forms."""
        return read_each(question_of, await self._rows_in("form.list", directory))

    async def _rows_in(self, operation_id: str, directory: str) -> list[JsonMap]:
        """Return the rows of a list of a directory; none if the directory does not exist, as a run may cause."""
        try:
            return as_maps(await self._data(operation_id, directory=directory))
        except NotFound:
            return []

    async def question_reply(self, question: Question, directory: str, answers: Sequence[Sequence[str]]) -> None:
        """Call ``session.form.reply``."""
        await self._form("session.form.reply", question, directory, {"answer": form_answer(question, answers)})

    async def question_reject(self, question: Question, directory: str) -> None:
        """Call ``session.interrupt`` for a question of the model, else ``session.form.cancel``.

        A form of the question tool that is cancelled ends the run as a rejected permission does. The run goes on when
        another form is cancelled: the MCP server or the plugin that asks gets the cancellation.
        """
        if question.tool is None:
            await self._form("session.form.cancel", question, directory)
            return
        found = as_map(conversions.data_of(await self._form("session.form.get", question, directory)))
        if as_map(found.get("state")).get("status") in SETTLED:
            raise NotFound(f"The request {question.id!r} was answered already.")
        await self.session_abort(question.session_id, directory)

    async def _form(self, operation_id: str, question: Question, directory: str, body: object = None) -> object:
        """Call an operation about a form; one of an MCP server is found by its directory."""
        path = {"sessionID": NO_SESSION if question.of_directory else question.session_id, "formID": question.id}
        query = {"location[directory]": directory} if question.of_directory else None
        return await self.call(operation_id, path=path, query=query, body=body)
