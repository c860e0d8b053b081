"""Requests are described so that a person or an agent can decide."""

import pytest

from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart, ToolState
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import (
    Choice,
    Condition,
    Permission,
    Question,
    QuestionItem,
)
from opencode_mcp.runs.requests.always_text import always_covers
from opencode_mcp.runs.requests.call_input import INPUT_LIMIT
from opencode_mcp.runs.requests.request_descriptions import DIFF_LIMIT, describe, question_item

SES = "ses_1"
COLOUR = QuestionItem(question="Which colour?", header="Colour", options=[Choice(label="Red"), Choice(label="Blue")])
SIZES = QuestionItem(
    question="Which sizes?", options=[Choice(label="S"), Choice(label="L")], multiple=True, custom=False
)
NAME = QuestionItem(question="What name?")


def asked(*items: QuestionItem) -> Question:
    return Question(id="que_1", session_id=SES, questions=list(items))


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


def test_a_permission_names_the_tool_unless_its_kind_does() -> None:
    assert "\ntool: mini" in describe(permission(), called(), subagent=False).asks
    same = called().model_copy(update={"tool": permission().permission})
    assert "tool:" not in describe(permission(), same, subagent=False).asks


def test_a_permission_with_a_diff_shows_no_arguments_twice() -> None:
    asks = describe(permission(diff="+new\n-old"), called(oldString="old", newString="new"), subagent=False).asks
    assert "oldString" not in asks


def test_many_long_arguments_are_bounded_and_counted() -> None:
    arguments = {f"argument{number}": "x" * 5000 for number in range(20)}
    asks = describe(permission(), called(**arguments), subagent=False).asks
    assert len(asks) < INPUT_LIMIT + 500
    assert "more arguments)" in asks


def test_always_is_reported_in_words() -> None:
    assert always_covers("mini", ["*"]).startswith("every call of mini, whatever its input, in every session")
    assert always_covers("bash", ["git *"]).startswith("every bash request that matches git *, in every session")
    assert always_covers("bash", []).startswith("the same again, in every session")


def test_a_permanent_always_is_reported_in_words() -> None:
    text = always_covers("shell", ["ls"], "for_ever")
    assert text.startswith("every shell request that matches ls, in every session of the project permanently")
    assert always_covers("shell", [], "for_ever").startswith("nothing else")
    request = describe(permission().model_copy(update={"always_lasts": "for_ever"}), subagent=False)
    assert request.always_lasts == "for_ever"


def test_a_permission_shows_the_explanation_that_comes_with_it() -> None:
    asked_for = permission().model_copy(update={"message": "Needs the network."})
    assert describe(asked_for, subagent=False).asks == "bash: git push, ls\nNeeds the network."


# Forms of OpenCode 2

SURE = QuestionItem(question="Sure?", key="sure", kind="boolean", default=False)
COUNT = QuestionItem(
    question="How many?",
    header="Count",
    key="count",
    kind="integer",
    minimum=1,
    required=False,
    when=[Condition(key="sure", value=True)],
)
HIDDEN = QuestionItem(question="Server", key="server", kind="text", hidden=True, default="x")
PLAN = QuestionItem(question="Plan?", key="plan", options=[Choice(label="Pro", value="p"), Choice(label="Free")])


def test_typed_questions_are_described_with_their_types_and_limits() -> None:
    request = describe(
        asked(SURE, HIDDEN, COUNT).model_copy(update={"title": "demo asks", "message": "Why?"}), subagent=False
    )
    assert request.asks == "demo asks\nWhy?\nSure?\nHow many?"
    assert request.questions == [
        {
            "question": "Sure?",
            "options": [],
            "multiple": False,
            "own_words": False,
            "type": "boolean",
            "takes": "yes or no",
            "default": False,
        },
        {
            "question": "How many?",
            "header": "Count",
            "options": [],
            "multiple": False,
            "own_words": False,
            "type": "integer",
            "takes": "a whole number of at least 1",
            "minimum": 1,
            "required": False,
            "asked_if": "'Sure?' is 'true'",
        },
    ]


def test_a_described_question_can_be_read_again() -> None:
    for item in (COLOUR, SIZES, NAME, SURE, PLAN):
        plain = describe(asked(item), subagent=False).questions[0]
        again = question_item(plain)
        assert (again.question, again.kind, again.required, again.default) == (
            item.question,
            item.kind,
            item.required,
            item.default,
        )
        assert [option.answer for option in again.options] == [option.answer for option in item.options]
