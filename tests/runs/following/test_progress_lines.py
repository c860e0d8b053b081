"""Events become lines for people, and the lines do not come too often for people and hosts."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.events.session_state import Draft
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question, QuestionItem
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo
from opencode_mcp.runs.following.progress_lines import LINE_LIMIT, LINES_KEPT, Progress
from opencode_mcp.runs.following.progress_throttle import ProgressThrottle
from opencode_mcp.text.outside_text import shorten
from tests.harness.each import for_each

MINE, CHILD, PROMPT = "ses_1", "ses_2", "msg_1"
NOW = 1_000_000.0
"""The test's moment, in milliseconds since the epoch."""


def progress() -> Progress:
    return Progress(MINE, PROMPT, "/home/me/project", lambda: NOW)


def line_of(*events: backend_events.Event) -> str:
    """The line that some events make."""
    lines = progress()
    for event in events:
        lines.add(event)
    return lines.take()


def tool(name: str, status: str, session: str = MINE, call: str = "prt_1", **state: object) -> backend_events.Event:
    return backend_events.PartChanged(
        session, {"id": call, "type": "tool", "tool": name, "state": {"status": status, **state}}
    )


def text_part(session: str = MINE, message: str = "msg_2", text: str = "") -> backend_events.Event:
    part = {"id": "prt_t", "type": "text", "sessionID": session, "messageID": message, "text": text}
    return backend_events.PartChanged(session, part)


def grew(delta: str, part: str = "prt_t") -> backend_events.Event:
    return backend_events.PartGrew(MINE, "msg_2", part, "text", delta)


EDITED = {"filediff": {"additions": 3, "deletions": 1}}


@for_each(
    ("event", "line"),
    [
        (tool("bash", "running", input={"command": "pytest -q"}), "bash: pytest -q"),
        (tool("bash", "running", input={"command": "cd a &&\n  ls"}), "bash: cd a && ls"),
        (tool("edit", "running", input={"filePath": "/home/me/project/src/a.py"}), "edit: src/a.py"),
        (tool("edit", "running", input={"filePath": "/elsewhere/a.py"}), "edit: /elsewhere/a.py"),
        (
            tool("edit", "completed", input={"filePath": "/home/me/project/src/a.py"}, metadata=EDITED),
            "edit: src/a.py +3 -1",
        ),
        (tool("grep", "running", input={"pattern": "TODO"}), "grep: TODO"),
        (tool("webfetch", "running", input={"url": "https://x"}), "webfetch: https://x"),
        (tool("task", "running", input={"description": "Small part", "prompt": "long"}), "task: Small part"),
        (tool("read", "running", input={"path": "src/a.py", "limit": 9}), "read: src/a.py"),
        (tool("edit", "completed", input={"path": "src/a.py"}, metadata=EDITED), "edit: src/a.py +3 -1"),
        (tool("shell", "running", input={"command": "ls", "workdir": "src"}), "shell: ls"),
        (
            tool("subagent", "running", input={"agent": "explore", "description": "Look", "prompt": "long"}),
            "subagent: Look",
        ),
        (tool("skill", "running", input={"id": "review"}), "skill: review"),
        (tool("execute", "running", input={"code": "return 1"}), "execute: return 1"),
        (tool("lsp", "running", input={}), "lsp"),
        # Todos and questions have events of their own.
        (tool("todowrite", "running", input={"todos": []}), ""),
        (tool("bash", "running", CHILD, input={"command": "ls"}), "subagent: bash: ls"),
        (tool("bash", "error", input={"command": "x"}, error="denied"), "bash: x failed: denied"),
        (tool("bash", "error", input={"command": "x"}), "bash: x failed: no reason given"),
        (tool("bash", "pending", input={}), ""),
        (tool("bash", "completed", input={"command": "ls"}, metadata={}), ""),
        (
            backend_events.TodosChanged(MINE, [Todo(status="completed"), Todo(status="in_progress"), Todo()]),
            "todos: 1 of 3 done",
        ),
        (
            backend_events.StatusChanged(
                MINE, SessionStatus(type="retry", attempt=2, message="Rate limited", next=NOW + 4200)
            ),
            "retrying in 4 s (attempt 2): Rate limited",
        ),
        (
            backend_events.StatusChanged(MINE, SessionStatus(type="retry", attempt=1, message="No", next=NOW - 5)),
            "retrying in 0 s (attempt 1): No",
        ),
        (backend_events.StatusChanged(MINE, SessionStatus(type="busy")), ""),
        (
            backend_events.PermissionAsked(
                MINE, Permission(id="p", session_id=MINE, permission="bash", patterns=["ls", "rm"])
            ),
            "waiting for a permission: bash ls, rm",
        ),
        (
            backend_events.PermissionAsked(
                CHILD, Permission(id="p", session_id=CHILD, permission="edit", patterns=["a.py"])
            ),
            "subagent: waiting for a permission: edit a.py",
        ),
        (
            backend_events.QuestionAsked(
                MINE, Question(id="q", session_id=MINE, questions=[QuestionItem(question="Which?")])
            ),
            "waiting for an answer: Which?",
        ),
        (backend_events.Idle(MINE), ""),
        (backend_events.Gap(""), ""),
        (backend_events.SessionChanged(MINE, Session(id=MINE), created=False), ""),
        (backend_events.PartChanged(MINE, {"type": "hologram"}), ""),
    ],
)
def test_an_event_becomes_a_line(event: backend_events.Event, line: str) -> None:
    assert line_of(event) == line


def test_a_tool_is_reported_once_for_each_step_of_its_life() -> None:
    running = tool("write", "running", input={"filePath": "/home/me/project/a"})
    done = tool("write", "completed", input={"filePath": "/home/me/project/a"}, metadata=EDITED)
    assert line_of(running, running, done, done) == "write: a · write: a +3 -1"


def test_two_calls_of_one_tool_are_separate() -> None:
    first = tool("bash", "running", call="prt_1", input={"command": "ls"})
    second = tool("bash", "running", call="prt_2", input={"command": "pwd"})
    assert line_of(first, second) == "bash: ls · bash: pwd"


def test_text_is_reported_by_how_much_there_is() -> None:
    lines = progress()
    for event in (text_part(), grew("Hello "), grew("world")):
        lines.add(event)
    assert lines.take() == "writing, 11 characters"
    assert not lines.has_news
    lines.add(grew("!"))
    assert lines.has_news
    assert lines.take() == "writing, 12 characters"


def test_other_events_take_precedence_over_text() -> None:
    assert line_of(text_part(), grew("Hello"), tool("bash", "running", input={"command": "ls"})) == "bash: ls"


def test_the_text_so_far_is_kept_with_what_came_before_the_listening() -> None:
    lines = progress()
    for event in (text_part(text="Once "), grew("upon"), grew("elsewhere", part="prt_9")):
        lines.add(event)
    assert lines.text == "Once upon"


def test_who_listens_late_knows_what_was_written_before() -> None:
    lines = Progress(MINE, PROMPT, "/", lambda: NOW, Draft("msg_2", "prt_t", "Once "))
    assert not lines.has_news
    assert lines.text == "Once "
    lines.add(grew("upon"))
    assert lines.text == "Once upon"
    assert lines.take() == "writing, 9 characters"
    assert not Progress(MINE, PROMPT, "/", lambda: NOW, Draft(PROMPT, "prt_t", "Do it")).text


@pytest.mark.parametrize("part", [text_part(message=PROMPT, text="Do it"), text_part(CHILD, text="By the child")])
def test_neither_the_prompt_nor_a_subagents_text_is_the_models(part: backend_events.Event) -> None:
    lines = progress()
    lines.add(part)
    lines.add(grew("more"))
    assert lines.text == ""
    assert not lines.has_news


def test_what_nobody_took_is_kept_only_to_a_limit() -> None:
    events = [tool("bash", "running", call=f"prt_{n}", input={"command": f"echo {n}"}) for n in range(20)]
    assert line_of(*events).count(" · ") == LINES_KEPT - 1
    assert line_of(*events).endswith("bash: echo 19")


def test_a_long_line_is_cut() -> None:
    line = line_of(tool("bash", "running", input={"command": "x" * 1000}))
    assert len(line) == LINE_LIMIT
    assert line.endswith("…")


@given(st.text(), st.integers(1, 200))
def test_a_shortened_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = shorten(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=50))
def test_lines_are_never_closer_than_the_shortest_and_a_due_one_never_later_than_the_longest(
    ticks: Sequence[tuple[float, bool]],
) -> None:
    now = 100.0
    throttle = ProgressThrottle(now)
    moments: list[float] = []
    for pause, news in ticks:
        due = throttle.next_line(waiting=news)
        assert due <= (moments[-1] if moments else now) + ProgressThrottle.LONGEST_SECONDS
        now = max(now, due) if news else now + pause
        if now >= due:
            throttle.note_sent(now)
            moments.append(now)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(gap >= ProgressThrottle.SHORTEST_SECONDS - 1e-9 for gap in gaps)


def test_the_first_line_is_sent_at_once() -> None:
    assert ProgressThrottle(100.0).next_line(waiting=True) == 100.0


def test_silence_is_broken_after_ten_seconds_at_the_latest() -> None:
    throttle = ProgressThrottle(100.0)
    throttle.note_sent(103.0)
    assert throttle.next_line(waiting=False) == 113.0
