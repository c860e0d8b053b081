"""State of a session, folded from the events of the stream."""

import pytest

from opencode_mcp.events.session_state import DRAFT_CHARACTERS, Draft, SessionState, drafted, fold
from opencode_mcp.opencode.vocabulary import backend_events
from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus, Todo
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure, Span

SES = "ses_1"


def folded(*events: backend_events.Event) -> SessionState:
    state = SessionState()
    for event in events:
        fold(state, event)
    return state


def message(number: int, prompt: str) -> backend_events.Event:
    info = MessageInfo(id=f"msg_{number}", session_id=SES, role="assistant", parent_id=prompt)
    return backend_events.MessageChanged(SES, info)


def test_the_status_is_the_last_one_and_idle_is_none() -> None:
    busy = backend_events.StatusChanged(SES, SessionStatus(type="busy"))
    retry = backend_events.StatusChanged(SES, SessionStatus(type="retry", attempt=1))
    idle = backend_events.StatusChanged(SES, SessionStatus(type="idle"))
    assert folded(busy, retry).status == SessionStatus(type="retry", attempt=1)
    assert folded(busy, idle).status is None


def test_the_first_error_is_kept_since_the_second_is_a_stack_trace() -> None:
    first, second = (
        backend_events.Failed(SES, Failure(data={"message": text})) for text in ("readable", "at x (y.ts)")
    )
    error = folded(first, second).error
    assert error
    assert error.text == "readable"


def test_todos_are_the_last_list() -> None:
    first = backend_events.TodosChanged(SES, [Todo(content="Plan")])
    second = backend_events.TodosChanged(SES, [Todo(content="Plan", status="completed")])
    assert folded(first, second).todos == [Todo(content="Plan", status="completed")]


def test_a_prompt_is_known_from_its_answer_too() -> None:
    state = folded(prompt("msg_2"), message(3, "msg_2"), message(5, "msg_4"), message(6, ""))
    assert list(state.prompts) == ["msg_2", "msg_4"]
    assert state.working_on == "msg_2"


def test_other_events_change_nothing() -> None:
    others = [
        backend_events.Gap(""),
        backend_events.Idle(SES),
        backend_events.PartGrew(SES, "m", "p", "text", "Hi"),
        backend_events.SessionDeleted(SES),
    ]
    assert folded(*others) == SessionState()


def test_after_a_gap_only_what_cannot_become_untrue_is_remembered() -> None:
    failed = backend_events.Failed(SES, Failure(data={"message": "told"}))
    state = folded(backend_events.StatusChanged(SES, SessionStatus(type="busy")), failed)
    state.forget()
    assert state.status is None
    assert state.error


def prompt(name: str) -> backend_events.Event:
    return backend_events.MessageChanged(SES, MessageInfo(id=name, session_id=SES, role="user"))


def test_a_session_works_on_the_last_new_prompt_until_an_end_is_reported() -> None:
    assert folded(prompt("msg_1"), prompt("msg_2"), prompt("msg_1"), message(3, "msg_2")).working_on == "msg_2"
    failed = backend_events.Failed(SES, Failure(data={"message": "told"}))
    for end in (backend_events.Idle(SES), failed):
        assert folded(prompt("msg_1"), end).working_on == ""
        assert folded(prompt("msg_1"), end, prompt("msg_1")).working_on == ""
        assert folded(prompt("msg_1"), end, prompt("msg_2")).working_on == "msg_2"


def answer(prompt: str, finish: str = "stop") -> backend_events.Event:
    info = MessageInfo(
        id="msg_9", session_id=SES, role="assistant", parent_id=prompt, finish=finish, time=Span(completed=1)
    )
    return backend_events.MessageChanged(SES, info)


def test_a_prompt_has_begun_when_it_is_shown_and_its_session_is_busy_or_was() -> None:
    busy = backend_events.StatusChanged(SES, SessionStatus(type="busy"))
    idle = backend_events.StatusChanged(SES, SessionStatus(type="idle"))
    state = SessionState()
    fold(state, backend_events.Idle(SES), now=1)
    fold(state, prompt("msg_1"), now=3)
    assert not state.has_begun("msg_1", since=2)
    fold(state, busy, now=4)
    assert state.has_begun("msg_1", since=2)
    assert not state.has_begun("msg_2", since=2)
    for event in (idle, backend_events.Idle(SES)):
        fold(state, event, now=5)
    assert state.has_begun("msg_1", since=2)


def test_a_prompt_is_alone_if_the_one_before_had_its_last_answer() -> None:
    first, second = prompt("msg_1"), prompt("msg_2")
    assert folded(first, answer("msg_1"), second).sole_prompt == "msg_2"
    assert folded(first, answer("msg_1"), second, answer("msg_2")).sole_prompt == "msg_2"
    assert folded(first, answer("msg_1"), second, first).sole_prompt == "msg_2"


@pytest.mark.parametrize(
    "between",
    [[], [message(3, "msg_1")], [answer("msg_1", "tool-calls")], [answer("msg_1", "")], [answer("msg_0")]],
    ids=["no answer", "begun", "middle step", "aborted", "answer to another"],
)
def test_a_prompt_may_share_the_answers_of_one_that_had_not_its_last(between: list[backend_events.Event]) -> None:
    assert folded(prompt("msg_0"), prompt("msg_1"), *between, prompt("msg_2")).sole_prompt == ""


def test_a_prompt_is_not_known_to_be_alone_after_a_gap_or_another_prompt() -> None:
    state = folded(prompt("msg_1"), answer("msg_1"))
    state.forget()
    fold(state, prompt("msg_2"))
    assert state.sole_prompt == ""
    assert folded(prompt("msg_1"), answer("msg_1"), prompt("msg_2"), prompt("msg_3")).sole_prompt == ""
    assert folded(prompt("msg_1"), answer("msg_1"), message(4, "msg_2")).sole_prompt == ""


def test_the_first_prompt_is_alone_if_the_session_is_known_completely() -> None:
    state = SessionState(complete=True)
    fold(state, prompt("msg_1"))
    assert (state.sole_prompt, folded(prompt("msg_1")).sole_prompt) == ("msg_1", "")


def test_after_a_gap_a_session_is_not_known_completely() -> None:
    state = folded(prompt("msg_1"), backend_events.SessionChanged(SES, Session(id=SES, title="Named"), created=False))
    state.complete = True
    state.forget()
    assert (state.title, state.working_on, state.complete) == ("Named", "", False)


def test_an_event_without_a_title_keeps_the_known_one() -> None:
    changes = [Session(id=SES, title="Named"), Session(id=SES, cost=0.5)]
    state = folded(*(backend_events.SessionChanged(SES, session, created=False) for session in changes))
    assert state.title == "Named"


TEXT = backend_events.PartChanged(SES, {"id": "prt_1", "type": "text", "messageID": "msg_2", "text": "Once "})
MORE = backend_events.PartGrew(SES, "msg_2", "prt_1", "text", "upon")


def test_the_draft_is_the_text_that_is_being_written() -> None:
    thought = backend_events.PartGrew(SES, "msg_2", "prt_9", "text", "Hm.")
    assert folded(TEXT, thought, MORE).draft == Draft("msg_2", "prt_1", "Once upon")
    assert folded(MORE).draft is None


def test_an_idle_session_writes_nothing_and_after_a_gap_nobody_knows() -> None:
    assert folded(TEXT, backend_events.Idle(SES)).draft is None
    state = folded(TEXT)
    state.forget()
    assert state.draft is None


def test_a_draft_with_a_gap_in_it_ends_before_the_gap() -> None:
    assert drafted(drafted(folded(TEXT).draft, backend_events.Gap("")), MORE) == Draft("msg_2", "", "Once ")


def test_a_text_without_end_is_kept_in_part_and_counted_in_full() -> None:
    state = folded(TEXT)
    deltas = 200
    for _ in range(deltas):
        fold(state, backend_events.PartGrew(SES, "msg_2", "prt_1", "text", "x" * 1000))
    assert state.draft
    assert state.draft.text == "Once " + "x" * (DRAFT_CHARACTERS - len("Once "))
    assert state.draft.length == len("Once ") + deltas * 1000
    full = state.draft.text
    fold(state, MORE)
    assert state.draft.text is full


def test_a_text_that_comes_long_at_once_is_kept_in_part_too() -> None:
    long = backend_events.PartChanged(
        SES, {"id": "prt_1", "type": "text", "messageID": "msg_2", "text": "y" * 2 * DRAFT_CHARACTERS}
    )
    draft = folded(long, MORE).draft
    assert draft
    assert (len(draft.text), draft.length) == (DRAFT_CHARACTERS, 2 * DRAFT_CHARACTERS + len("upon"))
