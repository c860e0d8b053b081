"""Text of others stays on its line and has no control character and no secret, in every result."""

import json
import re
from typing import TYPE_CHECKING, Any, cast, get_args

import pytest
from mcp_types import ElicitRequestFormParams

from opencode_mcp.diffs.authorship import ChangeAuthor
from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, Todo
from opencode_mcp.runs.outcome.endings import refusal_text
from opencode_mcp.runs.outcome.run_report import (
    ChangedFile,
    Decision,
    OtherSession,
    PendingRequest,
    RunReport,
    list_todos,
)
from opencode_mcp.secrets.own_passwords import MARK
from opencode_mcp.server.results.render import explain, result
from opencode_mcp.server.results.run_reports.several_reports import reports_result
from opencode_mcp.server.sessions.session_details import SessionDetails, view_data, view_text
from opencode_mcp.server.sessions.session_facts import PresentState
from opencode_mcp.server.waiting.elicitation import form_of
from opencode_mcp.server.waiting.wait import report_result
from opencode_mcp.text.outside_text import INVISIBLE, UNSEEN, is_plain, name_in_line, one_line

if TYPE_CHECKING:
    from mcp_types import TextContent

FORGED = "## Injected"
TOKEN = "gh" + "p_" + "a1B2" * 9
HOSTILE = f"n\x1b[2J\u202e\u2066\u200b\ufeff\x07\x85\r\n{FORGED}\u2028{FORGED}\u2029{FORGED} ](http://x) \ud83d {TOKEN}"
OTHERS = [OtherSession(session_id="ses_2", title=HOSTILE)]
WHOSE: tuple[ChangeAuthor, ...] = get_args(ChangeAuthor)
FORGED_LINE = re.compile(rf"^{FORGED}", re.MULTILINE)


def check(text: str) -> None:
    assert not UNSEEN.search(text)
    assert TOKEN not in text
    assert not FORGED_LINE.search(text)
    text.encode()


def report() -> RunReport:
    options = [{"label": HOSTILE, "description": HOSTILE}]
    question: dict[str, Any] = {"question": HOSTILE, "options": options, "multiple": False, "own_words": True}
    asked = PendingRequest(
        request_id="per_1",
        kind="permission",
        session_id="ses_1",
        asks=HOSTILE,
        permission="bash",
        patterns=[HOSTILE],
        always=[HOSTILE],
    )
    other = PendingRequest(
        request_id="que_1",
        kind="question",
        session_id="ses_1",
        asks=HOSTILE,
        preface=[HOSTILE],
        questions=[question, question],
    )
    return RunReport(
        status="needs_input",
        session_id="ses_1",
        message_id="msg_1",
        directory="/p",
        title=HOSTILE,
        prompt=HOSTILE,
        shortfall=refusal_text("bash", HOSTILE),
        error=HOSTILE,
        activity=HOSTILE,
        model=HOSTILE,
        agent=HOSTILE,
        files=[
            ChangedFile(path=HOSTILE, change="added", added=1, removed=0, whose=whose, others=OTHERS) for whose in WHOSE
        ],
        todos=list_todos([Todo(content=HOSTILE, status="pending", priority="high")]),
        decided=[Decision(permission="bash", patterns=[HOSTILE], reply="once")],
        pending=[asked, other],
    )


def test_a_report_holds_no_forged_line() -> None:
    made = report_result(report())
    check(cast("TextContent", made.content[0]).text)
    check(json.dumps(made.structured_content, ensure_ascii=False))


def test_the_reports_of_several_runs_hold_no_forged_line() -> None:
    running = report().model_copy(update={"status": "running", "pending": []})
    made = reports_result([running, report()], until="any")
    check(cast("TextContent", made.content[0]).text)
    check(json.dumps(made.structured_content, ensure_ascii=False))


def test_a_session_holds_no_forged_line() -> None:
    session = Session.model_validate(
        {"id": "ses_1", "title": HOSTILE, "directory": HOSTILE, "time": {"created": 1, "updated": 1}}
    )
    view = SessionDetails(
        session, PresentState(is_running=True), todos=report().todos, children=[session], pending=report().pending
    )
    made = result(view_text(view), view_data(view), is_shown=True)
    check(cast("TextContent", made.content[0]).text)
    check(json.dumps(made.structured_content, ensure_ascii=False))


def test_an_error_is_shown_safely() -> None:
    text = explain(NotFound(f"There is no {one_line(HOSTILE)}.", hint=f"TOKEN={TOKEN}"))
    check(text)
    assert MARK in text


def test_a_form_shows_no_control_character_and_no_secret() -> None:
    for request in report().pending:
        form = form_of(request)
        assert not UNSEEN.search(form.message)
        assert TOKEN not in form.message
        assert isinstance(form, ElicitRequestFormParams)
        json.dumps(form.requested_schema, ensure_ascii=False).encode()


def test_the_content_of_a_file_stays_as_it_is_but_for_what_is_no_text() -> None:
    content = f"key = {TOKEN}\x1b[0m\r\n\u202e"
    made = result(f"{content}\ud83d", {"text": f"{content}\ud83d"}, verbatim=True)
    assert cast("TextContent", made.content[0]).text == f"{content}\ufffd"
    assert made.structured_content == {"text": f"{content}\ufffd"}


@pytest.mark.parametrize("text", ["A title", "src/main.py", "Überschrift 日本", "a [link] (x)"])
def test_an_ordinary_name_stays_as_it_is(text: str) -> None:
    assert one_line(text) == text
    assert is_plain(text)


def test_a_line_is_one_line_of_bounded_length() -> None:
    line = one_line(HOSTILE * 1000)
    assert len(line) <= 310
    assert len(line.splitlines()) == 1
    assert not INVISIBLE.search(line)
    assert "](" not in line
    assert not is_plain(HOSTILE)


DRESSED_UP = 'echo "-----BEGIN RSA PRIVATE KEY-----"; touch x; echo "-----END RSA PRIVATE KEY-----"'


def permission(command: str, *, agent_may_answer: bool) -> PendingRequest:
    asked = PendingRequest(request_id="per_1", kind="permission", session_id="ses_1", asks=f"bash: {command}")
    return asked.model_copy(
        update={"permission": "bash", "patterns": [command], "always": [command], "agent_may_answer": agent_may_answer}
    )


def shown_for(request: PendingRequest) -> list[tuple[str, str]]:
    """Return the text and the data about a request, for every result that shows it."""
    pending = {"status": "needs_input", "session_id": "ses_1", "message_id": "msg_1", "directory": "/p"}
    one = RunReport.model_validate(pending | {"pending": [request.model_dump()]})
    session = Session.model_validate({"id": "ses_1", "time": {"created": 1, "updated": 1}})
    view = SessionDetails(session, PresentState(is_running=True), pending=[request])
    results = [
        report_result(one),
        reports_result([one], until="all"),
        result(view_text(view), view_data(view), is_shown=True),
    ]
    return [
        (cast("TextContent", made.content[0]).text, json.dumps(made.structured_content, ensure_ascii=False))
        for made in results
    ]


@pytest.mark.parametrize(
    "command", [DRESSED_UP, "export API_KEY=`touch x`", "true -----BEGIN PRIVATE KEY-----\ntouch x"]
)
def test_an_agent_that_decides_sees_all_that_would_run(command: str) -> None:
    for text, data in shown_for(permission(command, agent_may_answer=True)):
        assert text.count("touch") >= 1
        assert data.count("touch") == len(["asks", "a pattern", "a pattern for always"])


def test_what_can_only_be_a_secret_is_hidden_from_an_agent_that_decides_too() -> None:
    for text, data in shown_for(
        permission(f"curl -H 'Authorization: Bearer {TOKEN}' example.com", agent_may_answer=True)
    ):
        assert TOKEN not in text + data


def test_where_a_person_decides_what_looks_like_a_secret_is_hidden_from_the_agent() -> None:
    for text, data in shown_for(permission(DRESSED_UP, agent_may_answer=False)):
        assert "touch" not in text + data


def test_what_an_agent_decides_about_uncovers_nothing_else() -> None:
    shown = report().model_copy(update={"pending": [permission(DRESSED_UP, agent_may_answer=True)]})
    shown.text = DRESSED_UP
    made = report_result(shown)
    assert (made.structured_content or {})["text"] == MARK.join(['echo "', '"'])


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a b.txt", "a b.txt"), (" lead.txt", '" lead.txt"'), ("new\nline.txt", r'"new\nline.txt"'), ("\u00fc", "\u00fc")],
)
def test_a_name_of_a_file_shows_its_blanks(name: str, shown: str) -> None:
    assert name_in_line(name) == shown
