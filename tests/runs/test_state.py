"""The table of states, walked, and the judgement of what was seen."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.opencode.models import Failure, MessageInfo, SessionStatus, Span
from opencode_mcp.runs.report import STATUSES
from opencode_mcp.runs.state import (
    ABORTED_ERROR,
    ENDS,
    QUIET_LIMIT,
    TRANSITIONS,
    Evidence,
    Signal,
    State,
    advance,
    judge,
)
from tests.harness.each import for_each

GOES_ON = {
    Signal.BUSY: State.RUNNING,
    Signal.RETRY: State.RETRYING,
    Signal.ASKED: State.WAITING,
    Signal.IDLE: State.SETTLING,
}
ENDING = {
    Signal.FINISHED: State.COMPLETED,
    Signal.ERRORED: State.FAILED,
    Signal.STOPPED: State.ABORTED,
    Signal.VANISHED: State.LOST,
}
ALIVE = [state for state in State if state not in ENDS]
BUSY = SessionStatus(type="busy")
RETRY = SessionStatus(type="retry", attempt=1, message="Slow down")
ABORTED = Failure(name=ABORTED_ERROR, data={"message": "Aborted"})
FAILED = Failure(name="APIError", data={"message": "No"})


def answer(*, done: bool = True, error: Failure | None = None, finish: str = "stop") -> MessageInfo:
    time = Span(created=1, completed=2 if done else None)
    return MessageInfo(id="msg_2", session_id="ses_1", role="assistant", time=time, error=error, finish=finish)


def test_every_state_has_its_row_and_every_signal_of_a_living_one_its_target() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(set(TRANSITIONS[state]) == set(Signal) for state in ALIVE)


@for_each(("state", "signal"), itertools.product(ALIVE, ENDING))
def test_an_ending_signal_ends_any_run(state: State, signal: Signal) -> None:
    assert advance(state, signal) is ENDING[signal]


@pytest.mark.parametrize(
    ("state", "signal"), [pair for pair in itertools.product(ALIVE, GOES_ON) if pair != (State.SUBMITTED, Signal.IDLE)]
)
def test_a_living_run_follows_what_is_seen(state: State, signal: Signal) -> None:
    assert advance(state, signal) is GOES_ON[signal]


def test_idle_before_it_was_ever_busy_proves_nothing() -> None:
    assert advance(State.SUBMITTED, Signal.IDLE) is State.SUBMITTED


@for_each(("state", "signal"), itertools.product(sorted(ENDS), Signal))
def test_an_ending_state_is_never_left(state: State, signal: Signal) -> None:
    assert advance(state, signal) is state


@given(st.lists(st.sampled_from(Signal)))
def test_whatever_comes_in_whatever_order_the_first_end_holds(signals: list[Signal]) -> None:
    state = State.SUBMITTED
    for signal in signals:
        state = advance(state, signal)
    first_end = next((ENDING[signal] for signal in signals if signal in ENDING), None)
    assert state is first_end if first_end else state not in ENDS


def test_every_end_can_be_reached_and_every_state_has_a_word_for_callers() -> None:
    targets = {target for row in TRANSITIONS.values() for target in row.values()}
    assert targets - set(ALIVE) == ENDS
    assert set(STATUSES) == set(State)
    assert {STATUSES[state] for state in ENDS} == {"completed", "failed", "aborted"}


@pytest.mark.parametrize(
    ("evidence", "signal"),
    [
        (Evidence(status=BUSY), Signal.BUSY),
        (Evidence(status=SessionStatus(type="something-new")), Signal.BUSY),
        (Evidence(status=RETRY), Signal.RETRY),
        (Evidence(status=BUSY, asked=True), Signal.ASKED),
        (Evidence(status=RETRY, asked=True), Signal.ASKED),
        # The map of busy sessions is the truth: nothing that events told outweighs it.
        (Evidence(status=BUSY, answers=[answer()], error=FAILED, quiet=99), Signal.BUSY),
        (Evidence(answers=[answer()]), Signal.FINISHED),
        # Structured answers and rejected requests end with exactly this.
        (Evidence(answers=[answer(finish="tool-calls")]), Signal.FINISHED),
        (Evidence(answers=[answer(finish="")]), Signal.FINISHED),
        # An abort while the model is retried leaves nothing but this.
        (Evidence(answers=[answer(finish="")], empty=True), Signal.STOPPED),
        (Evidence(answers=[answer(finish="", error=FAILED)], empty=True), Signal.ERRORED),
        (Evidence(answers=[answer(done=False)], empty=True), Signal.IDLE),
        (Evidence(answers=[answer(error=FAILED)]), Signal.ERRORED),
        (Evidence(answers=[answer(error=FAILED, done=False)]), Signal.ERRORED),
        (Evidence(answers=[answer(error=ABORTED)]), Signal.STOPPED),
        (Evidence(answers=[answer(), answer(done=False)]), Signal.IDLE),
        (Evidence(answers=[answer(error=FAILED), answer()]), Signal.FINISHED),
        (Evidence(answers=[answer()], error=FAILED), Signal.FINISHED),
        (Evidence(answers=[answer()], quiet=QUIET_LIMIT + 1), Signal.FINISHED),
        (Evidence(), Signal.IDLE),
        (Evidence(answers=[answer(done=False)]), Signal.IDLE),
        (Evidence(error=FAILED), Signal.ERRORED),
        (Evidence(error=ABORTED), Signal.STOPPED),
        (Evidence(answers=[answer(done=False)], error=ABORTED), Signal.STOPPED),
        (Evidence(quiet=QUIET_LIMIT), Signal.IDLE),
        (Evidence(quiet=QUIET_LIMIT + 0.1), Signal.VANISHED),
        (Evidence(answers=[answer(done=False)], quiet=QUIET_LIMIT + 0.1), Signal.VANISHED),
        (Evidence(asked=True), Signal.IDLE),
    ],
)
def test_what_was_seen_is_judged(evidence: Evidence, signal: Signal) -> None:
    assert judge(evidence) is signal
