"""Outcome and first words of a session's last run."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from opencode_mcp.errors import BackendFailed, NotFound
from opencode_mcp.opencode.http_client.codec import UNREADABLE
from opencode_mcp.opencode.vocabulary.session_filter import Page
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.output_schema.schema_in_prompt import METADATA_KEY, SCHEMA_KEY, correction_id, correction_text
from opencode_mcp.runs.prompting.message_ids import message_id
from opencode_mcp.runs.session_history.last_run import LastRun, read_last_run

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio

SESSION = Session.read({"id": "ses_1"})
BEGAN = 1_795_690_634_519
"""Time in milliseconds since the epoch."""
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def schema_note() -> dict[str, Any]:
    """Return the metadata of a prompt whose schema is part of its text."""
    return {METADATA_KEY: {SCHEMA_KEY: SCHEMA}}


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

    def __init__(
        self, page: list[Message], prompt: Message | None = None, failure: BackendFailed | None = None
    ) -> None:
        self.page = page
        self.prompt = prompt
        self.failure = failure

    async def session_messages(self, _session_id: str, *, limit: int) -> Page[Message]:
        """Return the page."""
        return Page(self.page[-limit:], "older")

    async def session_message(self, _session_id: str, message_id: str) -> Message:
        """Return the prompt."""
        if self.failure:
            raise self.failure
        if self.prompt is None:
            raise NotFound("There is no such message.")
        assert self.prompt.info.id == message_id
        return self.prompt


async def read(*page: Message, further: Message | None = None, session: Session = SESSION) -> LastRun:
    return await read_last_run(cast("OpenCodeClient", Messages([*page], further)), session)


async def test_each_outcome_is_distinguished() -> None:
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


async def test_an_answer_without_an_end_is_unfinished_and_one_that_a_fork_copied_is_no_failure() -> None:
    name = message_id(BEGAN + 1, 0, bytes(14))
    unfinished, whole = answer(name, time={"created": BEGAN}), answer(name, time={"created": BEGAN, "completed": BEGAN})
    fork = Session.read({"id": "ses_1", "time": {"created": BEGAN + 1}})
    copied = await read(prompt(), unfinished, session=fork)
    assert (copied.outcome, copied.is_unfinished) == ("unanswered", True)
    assert (await read(prompt(), whole, session=fork)).outcome == "completed"
    assert (await read(prompt(), unfinished)).outcome == "failed"
    assert not (await read(prompt(), answer())).is_unfinished
    assert not (await read(prompt(), answer(time={"created": 5}, error={"name": "APIError"}))).is_unfinished


async def test_an_undone_session_says_so_whatever_its_last_answer_was() -> None:
    undone = Session.read({"id": "ses_1", "revert": {"messageID": "msg_1"}})
    assert (await read(prompt(), answer(), session=undone)).outcome == "undone"


async def test_the_prompt_begins_in_one_line_also_if_it_is_further_back() -> None:
    assert (await read(prompt(), answer())).prompt == "Write a file"
    assert (await read(answer(), further=prompt("word " * 100))).prompt == "word " * 15 + "word…"
    unread = await read(answer())
    assert (unread.outcome, unread.prompt, unread.prompt_id, unread.changed) == ("completed", "", "msg_1", 2)


async def test_a_run_lasts_from_its_prompt_to_its_latest_message() -> None:
    late = answer(time={"created": 4001, "completed": 9001})
    assert (await read(prompt(), late)).seconds == 9
    assert (await read(late, further=prompt())).seconds == 9
    assert (await read(late)).seconds == 5, "the prompt cannot be read"
    assert (await read()).seconds == 0


async def test_a_correction_is_shown_as_the_prompt_whose_answer_it_corrects() -> None:
    asked = message("msg_1", "user", [{"type": "text", "text": "Count them"}], metadata=schema_note())
    again = message(correction_id("msg_1"), "user", [{"type": "text", "text": correction_text("It is no JSON.")}])
    wrong = answer(said="Three.")
    right = answer("msg_4", said='{"n": 3}', parentID=again.info.id)
    seen = await read(asked, wrong, again, right)
    assert (seen.outcome, seen.prompt, seen.prompt_id) == ("completed", "Count them", "msg_1")
    still_wrong = await read(asked, wrong, again, answer("msg_4", said="Three!", parentID=again.info.id))
    assert (still_wrong.outcome, still_wrong.prompt) == ("failed", "Count them")


async def test_an_answer_that_breaks_its_schema_is_a_failure() -> None:
    in_text = message("msg_1", "user", [{"type": "text", "text": "Count them"}], metadata=schema_note())
    wanted = {"type": "json_schema", "schema": SCHEMA}
    native = message("msg_1", "user", [{"type": "text", "text": "Count them"}], format=wanted)
    cases = [
        (in_text, answer(said='{"n": 3}'), "completed"),
        (in_text, answer(said='{"n": "three"}'), "failed"),
        (in_text, answer(said="Three."), "failed"),
        (native, answer(structured={"n": 3}), "completed"),
        (native, answer(structured={"n": "three"}), "failed"),
        (native, answer(said='{"n": 3}'), "failed"),
    ]
    for asked, given, outcome in cases:
        assert (await read(asked, given)).outcome == outcome, given
    client = cast("OpenCodeClient", Messages([answer(structured={"n": "three"})]))
    assert (await read_last_run(client, SESSION)).outcome == "completed", "the schema is not known"
    assert (await read_last_run(client, SESSION, {"msg_1": SCHEMA})).outcome == "failed"


async def test_a_structured_prompt_that_cannot_be_shown_must_have_a_structured_answer() -> None:
    unreadable = BackendFailed("Expected OutputFormatJsonSchema", kind=UNREADABLE)
    for given, outcome in ((answer(structured={"n": 3}), "completed"), (answer(), "failed")):
        client = cast("OpenCodeClient", Messages([given], failure=unreadable))
        assert (await read_last_run(client, SESSION)).outcome == outcome


async def test_a_step_of_unknown_cost_is_distinguished_from_one_that_cost_nothing() -> None:
    assert not (await read(prompt(), answer())).is_counted
    assert (await read(prompt(), answer(tokens={"input": 5, "output": 1}))).is_counted, "a free model"
    assert not (await read(prompt(), answer(error={"name": "MessageAbortedError"}))).is_counted
