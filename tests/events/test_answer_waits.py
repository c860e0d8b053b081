"""Time of waiting for answers: counted for each prompt, and once for requests that are open together."""

from opencode_mcp.events.answer_waits import AnswerWaits

SES, CHILD = "ses_1", "ses_2"
PROMPT, TASK = "msg_1", "msg_2"


def prompted() -> AnswerWaits:
    waits = AnswerWaits()
    waits.restart(SES, PROMPT)
    waits.restart(CHILD, TASK)
    return waits


def test_closed_waits_add_up_and_the_open_one_counts_until_now() -> None:
    waits = prompted()
    waits.begin("per_1", [SES], 10)
    waits.end("per_1", 13)
    waits.begin("que_1", [SES], 20)
    assert waits.seconds(PROMPT, 21) == 4
    waits.end("que_1", 25)
    assert waits.seconds(PROMPT, 100) == 8


def test_requests_that_are_open_together_count_once() -> None:
    waits = prompted()
    waits.begin("per_1", [SES], 10)
    waits.begin("per_2", [CHILD, SES], 12)
    waits.begin("per_2", [CHILD, SES], 13)
    waits.end("per_1", 14)
    waits.end("per_2", 17)
    assert waits.seconds(PROMPT, 50) == 7
    assert waits.seconds(TASK, 50) == 5


def test_a_session_that_is_idle_waits_no_longer() -> None:
    waits = prompted()
    waits.begin("per_1", [SES], 10)
    waits.begin("per_2", [CHILD, SES], 10)
    waits.end_all_of(SES, 12)
    waits.end("per_1", 40)
    assert waits.seconds(PROMPT, 13) == 3, "for the subagent"
    waits.end_all_of(CHILD, 14)
    assert waits.seconds(PROMPT, 50) == 4


def test_a_new_prompt_begins_anew_and_the_time_of_the_one_before_is_kept() -> None:
    waits = prompted()
    waits.begin("per_1", [SES], 10)
    waits.end("per_1", 15)
    waits.restart(SES, "msg_3")
    waits.begin("per_2", [SES], 20)
    waits.end("per_2", 22)
    assert waits.seconds("msg_3", 30) == 2
    assert waits.seconds(PROMPT, 30) == 5


def test_a_prompt_that_joins_the_work_on_another_one_has_its_time() -> None:
    waits = prompted()
    waits.begin("per_1", [SES], 10)
    waits.join(SES, "msg_3")
    waits.end("per_1", 15)
    assert waits.seconds("msg_3", 30) == waits.seconds(PROMPT, 30) == 5


def test_a_gap_loses_only_the_time_until_the_request_is_read_as_open() -> None:
    waits = prompted()
    waits.begin("per_1", [SES], 10)
    assert waits.is_whole(PROMPT)
    waits.note_gap(30)
    assert waits.seconds(PROMPT, 40) == 20
    waits.begin("per_1", [SES], 41)
    waits.begin("per_1", [SES], 45)
    assert waits.seconds(PROMPT, 51) == 30
    waits.end("per_1", 61)
    assert (waits.seconds(PROMPT, 100), waits.is_whole(PROMPT)) == (40, False)


def test_a_request_that_was_closed_is_not_counted_when_an_older_reading_lists_it() -> None:
    waits = prompted()
    waits.begin("per_1", [SES], 10)
    waits.end("per_1", 12)
    waits.begin("per_1", [SES], 13)
    assert waits.seconds(PROMPT, 50) == 2


def test_of_a_prompt_that_was_not_seen_nothing_is_known() -> None:
    waits = prompted()
    assert waits.seconds("msg_9", 60) is None
    assert not waits.is_whole("msg_9")
    waits.restart(SES, "msg_9", is_whole=False)
    waits.begin("per_1", [SES], 10)
    assert (waits.seconds("msg_9", 15), waits.seconds(PROMPT, 15)) == (5, 0)
    assert not waits.is_whole("msg_9")
