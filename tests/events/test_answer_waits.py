"""Time of waiting for answers: told per session, and once for requests that are open together."""

from opencode_mcp.events.answer_waits import AnswerWaits

SES, CHILD = "ses_1", "ses_2"


def test_closed_waits_add_up_and_the_open_one_counts_until_now() -> None:
    waits = AnswerWaits()
    waits.begin("per_1", [SES], 10)
    waits.end("per_1", 13)
    waits.begin("que_1", [SES], 20)
    assert waits.seconds(SES, 21) == 4
    waits.end("que_1", 25)
    assert waits.seconds(SES, 100) == 8


def test_requests_that_are_open_together_count_once() -> None:
    waits = AnswerWaits()
    waits.begin("per_1", [SES], 10)
    waits.begin("per_2", [CHILD, SES], 12)
    waits.begin("per_2", [CHILD, SES], 13)
    waits.end("per_1", 14)
    waits.end("per_2", 17)
    assert waits.seconds(SES, 50) == 7
    assert waits.seconds(CHILD, 50) == 5


def test_a_session_that_is_idle_waits_no_longer() -> None:
    waits = AnswerWaits()
    waits.begin("per_1", [SES], 10)
    waits.begin("per_2", [CHILD, SES], 10)
    waits.end_all_of(SES, 12)
    waits.end("per_1", 40)
    assert waits.seconds(SES, 13) == 3, "for the subagent"
    waits.end_all_of(CHILD, 14)
    assert waits.seconds(SES, 50) == 4


def test_a_new_prompt_and_a_gap_begin_anew() -> None:
    waits = AnswerWaits()
    waits.begin("per_1", [SES], 10)
    waits.restart(SES)
    waits.end("per_1", 15)
    assert waits.seconds(SES, 20) == 0
    waits.begin("per_2", [SES], 20)
    waits.forget()
    waits.end("per_2", 30)
    assert waits.seconds(SES, 40) == 0
