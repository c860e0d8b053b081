"""The table of states, walked, and the classification of readings."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.opencode.vocabulary.wire.message import MessageInfo
from opencode_mcp.opencode.vocabulary.wire.session_objects import SessionStatus
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure, Span
from opencode_mcp.runs.outcome.run_report import STATUSES
from opencode_mcp.runs.outcome.state import (
    ABORTED_ERROR,
    ENDS,
    IDLE_LIMIT_SECONDS,
    TRANSITIONS,
    Evidence,
    State,
    advance,
    classify,
)
from tests.harness.each import for_each

ALIVE = [state for state in State if state not in ENDS]
SEEN_ALIVE = [state for state in ALIVE if state is not State.SUBMITTED]
"""The states that a reading can show of a run that has not ended."""
BUSY = SessionStatus(type="busy")
RETRY = SessionStatus(type="retry", attempt=1, message="Slow down")
ABORTED = Failure(name=ABORTED_ERROR, data={"message": "Aborted"})
FAILED = Failure(name="APIError", data={"message": "No"})


def answer(*, done: bool = True, error: Failure | None = None, finish: str = "stop") -> MessageInfo:
    time = Span(created=1, completed=2 if done else None)
    return MessageInfo(id="msg_2", session_id="ses_1", role="assistant", time=time, error=error, finish=finish)


def test_every_state_has_a_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(State)


@for_each(("state", "end"), itertools.product(ALIVE, sorted(ENDS)))
def test_a_run_that_was_seen_to_end_has_ended(state: State, end: State) -> None:
    assert advance(state, end) is end


@for_each(
    ("state", "seen"),
    [pair for pair in itertools.product(ALIVE, SEEN_ALIVE) if pair != (State.SUBMITTED, State.SETTLING)],
)
def test_a_run_that_has_not_ended_is_in_the_state_that_was_seen(state: State, seen: State) -> None:
    assert advance(state, seen) is seen


def test_idle_before_it_was_ever_busy_proves_nothing() -> None:
    assert advance(State.SUBMITTED, State.SETTLING) is State.SUBMITTED


@for_each(("end", "seen"), itertools.product(sorted(ENDS), State))
def test_an_ending_state_is_never_left(end: State, seen: State) -> None:
    assert advance(end, seen) is end


@given(st.lists(st.sampled_from([*SEEN_ALIVE, *sorted(ENDS)])))
def test_whatever_is_seen_in_whatever_order_the_first_end_holds(seen: list[State]) -> None:
    state = State.SUBMITTED
    for one in seen:
        state = advance(state, one)
    first_end = next((one for one in seen if one in ENDS), None)
    assert state is first_end if first_end else state not in ENDS


def test_every_end_can_be_reached_and_every_state_has_a_status_for_callers() -> None:
    targets = frozenset[State]().union(*TRANSITIONS.values())
    assert targets - set(ALIVE) == ENDS
    assert set(STATUSES) == set(State)
    assert {STATUSES[state] for state in ENDS} == {"completed", "failed", "aborted"}


@for_each(
    ("evidence", "state"),
    [
        (Evidence(status=BUSY), State.RUNNING),
        (Evidence(status=SessionStatus(type="something-new")), State.RUNNING),
        (Evidence(status=RETRY), State.RETRYING),
        (Evidence(status=BUSY, asked=True), State.WAITING),
        (Evidence(status=RETRY, asked=True), State.WAITING),
        # The map of busy sessions is the truth and takes precedence over events.
        (Evidence(status=BUSY, answers=[answer()], error=FAILED, idle_seconds=99), State.RUNNING),
        (Evidence(answers=[answer()]), State.COMPLETED),
        # Structured answers and rejected requests end with exactly this.
        (Evidence(answers=[answer(finish="tool-calls")]), State.COMPLETED),
        # The same where OpenCode was ended before the next step.
        (Evidence(answers=[answer(finish="tool-calls")], cut_short=True), State.SETTLING),
        (Evidence(answers=[answer()], cut_short=True, idle_seconds=IDLE_LIMIT_SECONDS + 1), State.LOST),
        (Evidence(answers=[answer()], cut_short=True, error=ABORTED), State.ABORTED),
        (Evidence(answers=[answer(finish="")]), State.COMPLETED),
        # An abort while the model is retried leaves nothing but this.
        (Evidence(answers=[answer(finish="")], empty=True), State.ABORTED),
        (Evidence(answers=[answer(finish="", error=FAILED)], empty=True), State.FAILED),
        (Evidence(answers=[answer(done=False)], empty=True), State.SETTLING),
        (Evidence(answers=[answer(done=False)], empty=True, stopped=True), State.ABORTED),
        (Evidence(answers=[answer()], stopped=True), State.COMPLETED),
        (Evidence(answers=[answer(error=FAILED)]), State.FAILED),
        (Evidence(answers=[answer(error=FAILED, done=False)]), State.FAILED),
        (Evidence(answers=[answer(error=ABORTED)]), State.ABORTED),
        (Evidence(answers=[answer(), answer(done=False)]), State.SETTLING),
        (Evidence(answers=[answer(error=FAILED), answer()]), State.COMPLETED),
        (Evidence(answers=[answer()], error=FAILED), State.COMPLETED),
        (Evidence(answers=[answer()], idle_seconds=IDLE_LIMIT_SECONDS + 1), State.COMPLETED),
        (Evidence(), State.SETTLING),
        (Evidence(answers=[answer(done=False)]), State.SETTLING),
        (Evidence(error=FAILED), State.FAILED),
        (Evidence(error=ABORTED), State.ABORTED),
        (Evidence(answers=[answer(done=False)], error=ABORTED), State.ABORTED),
        (Evidence(idle_seconds=IDLE_LIMIT_SECONDS), State.SETTLING),
        (Evidence(idle_seconds=IDLE_LIMIT_SECONDS + 0.1), State.LOST),
        (Evidence(answers=[answer(done=False)], idle_seconds=IDLE_LIMIT_SECONDS + 0.1), State.LOST),
        (Evidence(asked=True), State.SETTLING),
    ],
)
def test_a_reading_shows_one_state(evidence: Evidence, state: State) -> None:
    assert classify(evidence) is state
