"""Authors of changed files, by the tool calls of the sessions that worked at the same time."""

import math
from collections.abc import Sequence
from dataclasses import replace

from opencode_mcp.diffs.authorship import AuthorFinder, ChangeAuthor, ChangeStep, Period, WriteCall, work_of
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from tests.harness.each import for_each

FILE = "a.txt"
PATH = "/p/a.txt"
STEP = ChangeStep(Period(10, 20), frozenset({PATH}))


def edits(session: str, begin: float, end: float, *paths: str) -> WriteCall:
    return WriteCall(session, session.upper(), Period(begin, end), frozenset(paths), is_open=False)


def runs(session: str, begin: float, end: float) -> WriteCall:
    return WriteCall(session, session.upper(), Period(begin, end), frozenset(), is_open=True)


def found_author(
    own: Sequence[WriteCall], others: Sequence[WriteCall], *, since: bool = False
) -> tuple[ChangeAuthor, list[str]]:
    found = AuthorFinder("/p", [STEP], own, others).find(FILE, since=since)
    return found.whose, [call.session_id for call in found.others]


MINE = edits("me", 11, 12, PATH)
SHELL = runs("me", 11, 12)


@for_each(
    ("own", "others", "whose", "names"),
    [
        ([MINE], [], "this", []),
        ([SHELL], [], "this", []),
        ([MINE], [edits("you", 13, 14, "/p/b.txt")], "this", []),
        ([MINE], [runs("you", 13, 14)], "this", []),
        ([edits("me", 11, 12, "/p/b.txt")], [], "unknown", []),
        ([SHELL], [edits("you", 13, 14, PATH)], "other", ["you"]),
        ([MINE], [edits("you", 13, 14, PATH)], "shared", ["you"]),
        ([SHELL], [runs("you", 13, 14)], "unknown", ["you"]),
        ([edits("me", 11, 12, "/p/b.txt")], [runs("you", 13, 14)], "other", ["you"]),
        ([SHELL], [runs("you", 1, 5), edits("she", 25, 30, PATH)], "this", []),
        ([SHELL], [runs("you", 1, 11), runs("you", 12, 14), runs("she", 19, 40)], "unknown", ["you", "she"]),
    ],
)
def test_a_file_is_of_those_who_name_it_else_of_those_who_ran_commands(
    own: list[WriteCall], others: list[WriteCall], whose: ChangeAuthor, names: list[str]
) -> None:
    assert found_author(own, others) == (whose, names)


def test_an_undo_also_counts_what_others_changed_since() -> None:
    later = edits("you", 50, 60, PATH)
    assert found_author([MINE], [later]) == ("this", [])
    assert found_author([MINE], [later], since=True) == ("shared", ["you"])
    assert found_author([MINE], [edits("you", 1, 5, PATH)], since=True) == ("this", [])
    assert found_author([MINE], [replace(later, is_undone=True)], since=True) == ("this", [])
    assert found_author([MINE], [replace(edits("you", 13, 14, PATH), is_undone=True)], since=True) == (
        "shared",
        ["you"],
    )
    harmless = runs("you", 50, 60)
    assert found_author([SHELL], [harmless], since=True) == ("this", [])
    changing = WriteCall("you", "YOU", Period(50, 60), frozenset(), is_open=True, differing=frozenset({PATH}))
    assert found_author([MINE], [changing]) == ("this", [])
    assert found_author([MINE], [changing], since=True) == ("unknown", ["you"])


def test_if_not_all_could_be_read_a_file_that_nobody_names_is_of_an_unknown_author() -> None:
    partly = AuthorFinder("/p", [STEP], [SHELL], [], is_whole=False)
    assert partly.find(FILE).whose == "unknown"
    assert AuthorFinder("/p", [STEP], [MINE], [], is_whole=False).find(FILE).whose == "this"


def test_a_file_that_no_step_names_changed_at_any_time_of_the_work() -> None:
    between = edits("you", 21, 29, "/p/b.txt")
    steps = [STEP, ChangeStep(Period(30, 40), frozenset({PATH}))]
    assert AuthorFinder("/p", steps, [SHELL], [between]).find("b.txt").whose == "other"


def test_a_step_begins_at_the_end_of_the_message_before_it() -> None:
    patch: dict[str, object] = {"type": "patch", "files": ["/p/a.txt"]}

    def message(number: int, role: str, parts: list[dict[str, object]], **time: float) -> Message:
        info = {"id": f"msg_{number}", "sessionID": "ses_1", "role": role, "time": time}
        return Message.read({"info": info, "parts": parts})

    prompt = message(1, "user", [], created=5)
    first = message(2, "assistant", [patch], created=10, completed=20)
    second = message(3, "assistant", [patch], created=30, completed=40)
    for messages in ([prompt, first, second], [second, first, prompt]):
        work = work_of(messages, Session(id="ses_1", directory="/p"))
        assert sorted(step.period.begin for step in work.steps) == [5, 20]


def test_work_has_the_files_of_its_steps_its_calls_and_its_subagents() -> None:
    write = {"status": "completed", "input": {"filePath": "a.txt"}, "time": {"start": 12, "end": 13}}
    task = {"status": "completed", "input": {}, "metadata": {"sessionId": "ses_2"}}
    parts = [
        {"type": "tool", "tool": "write", "state": write},
        {"type": "tool", "tool": "bash", "state": {"status": "running", "time": {"start": 14}}},
        {"type": "tool", "tool": "read", "state": write},
        {"type": "tool", "tool": "task", "state": task},
        {"type": "patch", "files": ["/p/a.txt"]},
    ]
    info = {"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "time": {"created": 10, "completed": 20}}
    work = work_of([Message.read({"info": info, "parts": parts})], Session(id="ses_1", title="Me", directory="/p"))
    assert work.files == {PATH}
    assert work.steps == [STEP]
    assert work.period == Period(10, 20)
    assert work.subagents == {"ses_2"}
    assert [(call.title, call.period, call.is_open) for call in work.calls] == [
        ("Me", Period(12, 13), False),
        ("Me", Period(14, 20), True),
    ]


def test_a_file_that_an_undo_may_have_put_back_is_not_that_of_a_command() -> None:
    undo = WriteCall("you", "YOU", Period(5, math.inf), frozenset(), is_open=False, put_back=frozenset({PATH}))
    assert found_author([MINE], [undo]) == ("this", [])
    assert found_author([SHELL], [undo]) == ("unknown", ["you"])
    assert found_author([edits("me", 11, 12, "/p/b.txt")], [undo]) == ("other", ["you"])
    elsewhere = WriteCall(
        "you", "YOU", Period(5, math.inf), frozenset(), is_open=False, put_back=frozenset({"/p/b.txt"})
    )
    assert found_author([SHELL], [elsewhere]) == ("this", [])


def test_the_undo_of_work_puts_back_what_its_steps_changed_and_its_calls_name() -> None:
    session = Session(id="ses_1", title="Me", directory="/p")
    write = {"status": "completed", "input": {"filePath": "b.txt"}, "time": {"start": 12, "end": 13}}
    parts = [{"type": "tool", "tool": "write", "state": write}, {"type": "patch", "files": ["/p/a.txt"]}]
    info = {"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "time": {"created": 10, "completed": 20}}
    work = work_of([Message.read({"info": info, "parts": parts})], session)
    work.add_undo(session)
    undo = work.calls[-1]
    assert (undo.put_back, undo.period) == (frozenset({PATH, "/p/b.txt"}), Period(20, math.inf))
