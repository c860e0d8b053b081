"""Outcome and first words of a session's last run."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.vocabulary.models import Message, Session
from opencode_mcp.opencode.vocabulary.selection import Page
from opencode_mcp.runs.sessions.last_run import LastRun, read_last_run

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio

SESSION = Session.read({"id": "ses_1"})


def message(name: str, role: str, parts: list[dict[str, Any]], **fields: object) -> Message:
    info = {"id": name, "sessionID": "ses_1", "role": role, "time": {"created": 1, "completed": 2}, **fields}
    return Message.read({"info": info, "parts": parts})


def prompt(words: str = "Write   a\nfile") -> Message:
    return message("msg_1", "user", [{"type": "text", "text": words}])


def answer(name: str = "msg_2", said: str = "Done.", **fields: object) -> Message:
    parts = [{"type": "text", "text": said}] if said else []
    return message(name, "assistant", parts, **{"parentID": "msg_1", "finish": "stop", **fields})


class Messages:
    """Client of one session, whose prompt may be further back than the page."""

    def __init__(self, page: list[Message], prompt: Message | None = None) -> None:
        self.page = page
        self.prompt = prompt

    async def session_messages(self, _session_id: str, *, limit: int) -> Page[Message]:
        """Return the page."""
        return Page(self.page[-limit:], "older")

    async def session_message(self, _session_id: str, message_id: str) -> Message:
        """Return the prompt."""
        if self.prompt is None:
            raise NotFound("There is no such message.")
        assert self.prompt.info.id == message_id
        return self.prompt


async def read(*page: Message, further: Message | None = None, session: Session = SESSION) -> LastRun:
    return await read_last_run(cast("OpenCodeClient", Messages([*page], further)), session)


async def test_each_outcome_is_told_apart() -> None:
    failed = {"name": "APIError", "data": {"message": "no"}}
    cases = {
        "completed": answer(),
        "failed": answer(error=failed),
        "aborted": answer(error={"name": "MessageAbortedError"}),
    }
    for outcome, last in cases.items():
        assert (await read(prompt(), last)).outcome == outcome
    assert (await read(prompt(), answer(said="", finish=""))).outcome == "aborted"
    assert (await read(prompt(), answer(time={"created": 1}))).outcome == "failed", "OpenCode was killed"
    assert (await read(prompt())).outcome == "unanswered"
    assert (await read()).outcome == "none"


async def test_an_undone_session_says_so_whatever_its_last_answer_was() -> None:
    undone = Session.read({"id": "ses_1", "revert": {"messageID": "msg_1"}})
    assert (await read(prompt(), answer(), session=undone)).outcome == "undone"


async def test_the_prompt_begins_in_one_line_also_if_it_is_further_back() -> None:
    assert (await read(prompt(), answer())).prompt == "Write a file"
    assert (await read(answer(), further=prompt("word " * 100))).prompt == "word " * 15 + "word…"
    assert await read(answer()) == LastRun("completed", "", 2)
