"""Answers are fitted to the questions, and requests are described so that somebody can decide."""

from collections.abc import Sequence

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.models import Choice, Permission, Question, QuestionItem, ToolPart, ToolState
from opencode_mcp.runs.requests.call_input import INPUT_LIMIT, always_covers
from opencode_mcp.runs.requests.open_requests import DIFF_LIMIT, describe, fit_answers

SES = "ses_1"
COLOUR = QuestionItem(question="Which colour?", header="Colour", options=[Choice(label="Red"), Choice(label="Blue")])
SIZES = QuestionItem(
    question="Which sizes?", options=[Choice(label="S"), Choice(label="L")], multiple=True, custom=False
)
NAME = QuestionItem(question="What name?")


NO_ANSWER: list[str] = []


def asked(*items: QuestionItem) -> Question:
    return Question(id="que_1", session_id=SES, questions=list(items))


@pytest.mark.parametrize(
    ("question", "answers", "fitted"),
    [
        (asked(COLOUR), [["Red"]], [["Red"]]),
        (asked(COLOUR), [["rEd"]], [["Red"]]),
        (asked(COLOUR), [["Green, please"]], [["Green, please"]]),
        (asked(NAME), [["Ada"]], [["Ada"]]),
        (asked(SIZES), [["s", "l"]], [["S", "L"]]),
        (asked(COLOUR, SIZES), [["blue"], ["S"]], [["Blue"], ["S"]]),
    ],
)
def test_labels_are_matched_without_regard_to_case_and_own_words_pass(
    question: Question, answers: Sequence[Sequence[str]], fitted: list[list[str]]
) -> None:
    assert fit_answers(question, answers) == fitted


@pytest.mark.parametrize(
    ("question", "answers", "said"),
    [
        (asked(COLOUR), NO_ANSWER, "0 answers were given to 1 questions."),
        (asked(COLOUR), [["Red"], ["Blue"]], "2 answers were given to 1 questions."),
        (asked(COLOUR), [NO_ANSWER], "'Which colour?' takes one answer."),
        (asked(COLOUR), [["Red", "Blue"]], "'Which colour?' takes one answer."),
        (asked(SIZES), [NO_ANSWER], "'Which sizes?' takes one or more answers."),
        (asked(SIZES), [["XL"]], "'XL' is not an answer to 'Which sizes?'."),
        (asked(COLOUR, SIZES), [["Red"], ["S", "XL"]], "'XL' is not an answer to 'Which sizes?'."),
    ],
)
def test_answers_that_do_not_fit_are_refused(question: Question, answers: Sequence[Sequence[str]], said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        fit_answers(question, answers)
    assert refused.value.message.endswith(said)


def test_a_refusal_lists_every_label_of_every_question() -> None:
    with pytest.raises(InvalidArgument) as refused:
        fit_answers(asked(COLOUR, NAME), [])
    assert "'Which colour?': 'Red', 'Blue'; 'What name?': own words" in refused.value.hint


def test_questions_are_described_with_their_options() -> None:
    request = describe(asked(COLOUR, SIZES), subagent=False)
    assert (request.kind, request.request_id, request.session_id) == ("question", "que_1", SES)
    assert request.asks == "Which colour?\nWhich sizes?"
    assert request.questions[0] == {
        "question": "Which colour?",
        "header": "Colour",
        "options": [{"label": "Red", "description": ""}, {"label": "Blue", "description": ""}],
        "multiple": False,
        "own_words": True,
    }
    assert request.questions[1]["own_words"] is False


def permission(**metadata: str) -> Permission:
    return Permission(
        id="per_1",
        session_id=SES,
        permission="bash",
        patterns=["git push", "ls"],
        always=["git push *"],
        metadata=dict(metadata),
    )


@pytest.mark.parametrize(
    ("metadata", "asks"),
    [
        ({}, "bash: git push, ls"),
        ({"command": "git push && ls"}, "bash: git push, ls\ncommand: git push && ls"),
        ({"command": "a\nb"}, "bash: git push, ls\ncommand:\na\nb"),
        ({"filepath": "/p/a", "diff": "-old\n+new\n"}, "bash: git push, ls\nfilepath: /p/a\ndiff:\n-old\n+new"),
        ({"secret": "hush"}, "bash: git push, ls"),
    ],
)
def test_a_permission_is_described_by_what_it_would_allow(metadata: dict[str, str], asks: str) -> None:
    assert describe(permission(**metadata), subagent=False).asks == asks


def test_a_permission_says_what_always_would_allow_and_whose_it_is() -> None:
    request = describe(permission(), subagent=True)
    assert (request.kind, request.permission, request.patterns) == ("permission", "bash", ["git push", "ls"])
    assert (request.always, request.subagent) == (["git push *"], True)


def test_a_long_diff_is_cut_and_says_so() -> None:
    asks = describe(permission(diff="+x\n" * DIFF_LIMIT), subagent=False).asks
    assert len(asks) < DIFF_LIMIT + 100
    assert asks.endswith("… (cut)")


def called(**arguments: object) -> ToolPart:
    return ToolPart(type="tool", tool="mini", state=ToolState(input=arguments))


def test_a_permission_shows_the_arguments_that_it_does_not_name_itself() -> None:
    asks = describe(
        permission(command="ls -l"), called(command="ls -l", cwd="/x", deep={"a": [1]}), subagent=False
    ).asks
    assert asks.endswith('command: ls -l\ncwd: /x\ndeep: {"a": [1]}')


def test_a_permission_with_a_diff_shows_no_arguments_twice() -> None:
    asks = describe(permission(diff="+new\n-old"), called(oldString="old", newString="new"), subagent=False).asks
    assert "oldString" not in asks


def test_many_long_arguments_are_bounded_and_counted() -> None:
    arguments = {f"argument{number}": "x" * 5000 for number in range(20)}
    asks = describe(permission(), called(**arguments), subagent=False).asks
    assert len(asks) < INPUT_LIMIT + 500
    assert "more arguments)" in asks


def test_always_is_told_in_words() -> None:
    assert always_covers("mini", ["*"]).startswith("every call of mini, whatever its input, in every session")
    assert always_covers("bash", ["git *"]).startswith("every bash request that matches git *, in every session")
    assert always_covers("bash", []).startswith("the same again, in every session")
