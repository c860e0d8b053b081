"""Undone messages in a transcript, on whichever page of it they are."""

from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.markdown.transcript_page import read_transcript
from opencode_mcp.opencode.vocabulary.session_filter import Page
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio


def message(number: int) -> Message:
    role = "user" if number % 2 else "assistant"
    info = {"id": f"msg_{number}", "sessionID": "ses_1", "role": role, "time": {"created": 1, "completed": 2}}
    return Message.read({"info": info, "parts": [{"type": "text", "text": f"Said {number}."}]})


class Messages:
    """Client of one session of six messages, in pages of two."""

    async def session_messages(self, _session_id: str, *, limit: int, before: str = "") -> Page[Message]:
        """Return the two messages before a place."""
        assert limit > 0
        end = int(before) if before else 6
        return Page([message(end - 1), message(end)], str(end - 2) if end > 2 else "")


async def undone(session: Session, show: ShownParts) -> list[str]:
    """Return the ids of the messages that a transcript calls undone."""
    client, cursor, found = cast("OpenCodeClient", Messages()), "", list[str]()
    while True:
        page = await read_transcript(client, session, limit=2, cursor=cursor, show=show, characters=10_000)
        heads = [line for line in page.text.splitlines() if line.startswith("### ")]
        found = [head.split()[-1] for head in heads if "undone" in head] + found
        cursor = page.cursor
        if not cursor:
            return found


@pytest.mark.parametrize("show", ["brief", "conversation", "everything"])
async def test_the_headline_of_an_undone_message_says_so_on_every_page(show: ShownParts) -> None:
    session = Session.read({"id": "ses_1", "revert": {"messageID": "msg_3"}})
    assert await undone(session, show) == ["msg_3", "msg_4", "msg_5", "msg_6"]
    assert await undone(Session.read({"id": "ses_1"}), show) == []


async def test_the_messages_after_an_undone_one_that_cannot_be_shown_are_undone() -> None:
    session = Session.read({"id": "ses_1", "revert": {"messageID": "msg_40"}})
    assert await undone(session, "brief") == ["msg_5", "msg_6"]
