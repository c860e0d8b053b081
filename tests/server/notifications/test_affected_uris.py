"""Addresses that each event changes."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opencode_mcp.events.session_state import SessionState, fold
from opencode_mcp.opencode.v1.event_parser import PARSERS, EventParser1
from opencode_mcp.opencode.vocabulary.backend_events import (
    Event,
    Gap,
    Lost,
    PartChanged,
)
from opencode_mcp.server import uris
from opencode_mcp.server.notifications.affected_uris import changed_by, names_of
from opencode_mcp.server.resources.resources import find_resource
from tests.harness.each import for_each

SES, MSG, PROMPT = "ses_1", "msg_2", "msg_1"
STATUS = uris.session(SES)
LIVE = {uris.SESSIONS, uris.PROJECT, STATUS, uris.run(SES, "")}
"""Addresses that show the state of a session."""


def event(kind: str, **properties: Any) -> Event:  # noqa: ANN401 - JSON of any shape
    """An event as it comes over the wire."""
    line = json.dumps({"payload": {"type": kind, "properties": {"sessionID": SES, **properties}}})
    [read] = EventParser1().parse(line)
    return read


def message(role: str, **more: str) -> dict[str, Any]:
    return {"id": MSG, "sessionID": SES, "role": role, **more}


@for_each(
    ("happened", "changed"),
    [
        (
            event("message.updated", info=message("assistant", parentID=PROMPT)),
            {uris.transcript(SES), uris.message(SES, MSG), uris.run(SES, PROMPT)},
        ),
        (
            event("message.updated", info=message("user")),
            {uris.transcript(SES), uris.message(SES, MSG), uris.run(SES, MSG), uris.diff(SES)},
        ),
        (
            event("message.part.updated", part={"type": "text", "messageID": MSG, "sessionID": SES}),
            {uris.transcript(SES), uris.message(SES, MSG)},
        ),
        (
            event("message.part.delta", messageID=MSG, partID="prt_1", field="text", delta="x"),
            {uris.transcript(SES), uris.message(SES, MSG)},
        ),
        (event("todo.updated", todos=[]), {uris.todo(SES), STATUS}),
        (event("session.created", info={"id": SES}), {uris.SESSIONS, STATUS}),
        (event("session.updated", info={"id": SES}), {uris.SESSIONS, STATUS}),
        (event("session.status", status={"type": "busy"}), LIVE),
        (event("session.idle"), LIVE),
        (event("session.error", error={}), LIVE),
        (event("permission.asked", id="per_1"), LIVE),
        (event("question.asked", id="que_1", questions=[]), LIVE),
        (event("permission.replied", requestID="per_1"), LIVE),
    ],
)
def test_an_event_changes_what_shows_it_and_nothing_else(happened: Event, changed: set[str]) -> None:
    assert set(changed_by(happened)) == changed


@pytest.mark.parametrize("happened", [Gap(""), Gap(SES), Lost("", "gone"), event("server.instance.disposed")])
def test_what_concerns_no_session_names_none(happened: Event) -> None:
    assert not {name for name in changed_by(happened) if "/session/" in name and SES not in name}


def test_a_patch_changes_the_files_under_every_address_that_they_may_have() -> None:
    part = {"type": "patch", "messageID": MSG, "sessionID": SES, "files": ["/home/me/project/src/a b.py"]}
    changed = set(changed_by(event("message.part.updated", part=part)))
    assert {uris.diff(SES), uris.file("src/a b.py"), uris.file("/home/me/project/src/a b.py")} <= changed
    assert uris.file("src/b.py") not in changed


def test_a_session_that_is_deleted_changes_all_that_is_below_it() -> None:
    changed = set(changed_by(event("session.deleted", info={"id": SES})))
    below = [
        uris.transcript(SES, limit="3"),
        uris.diff(SES),
        uris.todo(SES),
        uris.message(SES, MSG),
        uris.run(SES, PROMPT),
        STATUS,
        uris.SESSIONS,
    ]
    for uri in below:
        assert not changed.isdisjoint(names_of(uri)), uri
    assert changed.isdisjoint(names_of(uris.transcript("ses_2")))
    assert changed.isdisjoint(names_of(uris.session("ses_2")))


def test_what_a_subagent_does_changes_what_its_parents_show() -> None:
    child = "ses_3"
    asked = event("permission.asked", id="per_1", sessionID=child)
    changed = set(changed_by(asked, [child, SES]))
    assert {uris.session(child), STATUS, uris.run(SES, "")} <= changed
    changed_by_text = set(changed_by(event("message.part.delta", sessionID=child, messageID=MSG), [child, SES]))
    assert STATUS not in changed_by_text


@pytest.mark.parametrize("uri", [uris.SESSIONS, uris.PROJECT, STATUS, uris.transcript(SES), uris.run(SES, MSG)])
def test_an_address_is_changed_under_its_own_name_whatever_its_query(uri: str) -> None:
    assert find_resource(uri)
    assert names_of(f"{uri}?limit=3&cursor=a/b")[0] == uri


NAMES = [
    "sessionID",
    "id",
    "info",
    "part",
    "parentID",
    "messageID",
    "partID",
    "role",
    "type",
    "tool",
    "state",
    "metadata",
    "sessionId",
    "files",
    "status",
    "error",
    "todos",
    "permission",
    "questions",
    "requestID",
    "directory",
]
SCALARS: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "ses_1", "task", "patch", "text", "busy", "\ud800"]
)
VALUES: st.SearchStrategy[object] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner), max_leaves=30
)


@given(st.sampled_from(sorted(PARSERS)), st.dictionaries(st.sampled_from(NAMES), VALUES))
@example("message.part.updated", {"part": {"sessionID": "ses_1", "tool": "task", "state": ["x"]}})
@example("message.part.updated", {"part": {"sessionID": "ses_1", "type": "patch", "files": 5}})
@example("session.idle", {"sessionID": "\ud800"})
def test_no_event_of_any_form_breaks_what_reads_it(kind: str, properties: dict[str, object]) -> None:
    line = json.dumps({"payload": {"type": kind, "properties": properties}})
    for happened in EventParser1().parse(line):
        fold(SessionState(), happened)
        for address in changed_by(happened, [happened.session_id]):
            address.encode()
        if isinstance(happened, PartChanged):
            happened.child_session.encode()
