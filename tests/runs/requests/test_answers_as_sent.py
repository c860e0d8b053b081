"""Answers are fitted to the questions, and refused if they do not fit."""

from collections.abc import Sequence

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Choice, Condition, Question, QuestionItem
from opencode_mcp.runs.requests.answers_as_sent import fit_answers, read_differently
from tests.harness.each import for_each

SES = "ses_1"
COLOUR = QuestionItem(question="Which colour?", header="Colour", options=[Choice(label="Red"), Choice(label="Blue")])
SIZES = QuestionItem(
    question="Which sizes?", options=[Choice(label="S"), Choice(label="L")], multiple=True, custom=False
)
NAME = QuestionItem(question="What name?")


NO_ANSWER: list[str] = []


def asked(*items: QuestionItem) -> Question:
    return Question(id="que_1", session_id=SES, questions=list(items))


@for_each(
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


FRENCH = QuestionItem(
    question="Which?", options=[Choice(label="French", description="Au revoir"), Choice(label="German")]
)
PORTS = QuestionItem(question="Port?", options=[Choice(label="Port 80"), Choice(label="Port 8080")])
ALIKE = QuestionItem(question="Which?", options=[Choice(label="Yes!"), Choice(label="yes.")])


@for_each(
    ("item", "given", "sent", "note"),
    [
        (FRENCH, "French", "French", ""),
        (FRENCH, "french", "French", '"french" was taken as the option "French".'),
        (FRENCH, "“French”.", "French", '"“French”." was taken as the option "French".'),
        (FRENCH, '"French" (Au revoir)', "French", '""French" (Au revoir)" was taken as the option "French".'),
        (FRENCH, "French: au revoir", "French", '"French: au revoir" was taken as the option "French".'),
        (FRENCH, "Frensh", "Frensh", '"Frensh" is no label of the question, so it was passed on as own words.'),
        (PORTS, "Port 808", "Port 808", '"Port 808" is no label of the question, so it was passed on as own words.'),
        (ALIKE, "YES", "YES", '"YES" is no label of the question, so it was passed on as own words.'),
        (NAME, "Ada", "Ada", ""),
    ],
)
def test_an_answer_that_nearly_is_a_label_is_taken_as_it_and_every_other_is_reported(
    item: QuestionItem, given: str, sent: str, note: str
) -> None:
    question = asked(item)
    fitted = fit_answers(question, [[given]])
    assert fitted == [[sent]]
    assert read_differently(question, [[given]], fitted) == note


@for_each(
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


# Forms of OpenCode 2

SURE = QuestionItem(question="Sure?", key="sure", kind="boolean")
COUNT = QuestionItem(question="How many?", key="n", kind="integer", minimum=1, required=False)
PLAN = QuestionItem(question="Plan?", key="plan", options=[Choice(label="Pro", value="p")], custom=False)
HIDDEN = QuestionItem(question="Server", key="server", kind="text", hidden=True, default="x")
DETAIL = QuestionItem(question="Detail?", key="d", kind="text", when=[Condition(key="sure", value=True)])


@pytest.mark.parametrize(
    ("question", "answers", "fitted"),
    [
        (asked(SURE, COUNT), [["Yes"], ["3.0"]], [["true"], ["3"]]),
        (asked(SURE, COUNT), [["no"], NO_ANSWER], [["false"], NO_ANSWER]),
        (asked(HIDDEN, PLAN), [["pro"]], [["p"]]),
        (asked(SURE, DETAIL), [["no"], NO_ANSWER], [["false"], NO_ANSWER]),
    ],
)
def test_typed_answers_are_spelled_as_values(
    question: Question, answers: Sequence[Sequence[str]], fitted: list[list[str]]
) -> None:
    assert fit_answers(question, answers) == fitted
    assert fit_answers(question, fitted) == fitted


def test_an_answer_of_a_wrong_type_is_refused_with_what_every_question_takes() -> None:
    with pytest.raises(InvalidArgument) as refused:
        fit_answers(asked(SURE, COUNT), [["yes"], ["a few"]])
    assert refused.value.message == "'a few' is not an answer to 'How many?': it takes a whole number of at least 1."
    assert "'Sure?': yes or no; 'How many?': a whole number of at least 1, or an empty list" in refused.value.hint


def test_a_persons_form_may_fill_a_question_that_is_not_asked_and_an_agent_may_not() -> None:
    answers = [["no"], ["x"]]
    assert fit_answers(asked(SURE, DETAIL), answers, whole_form=True) == [["false"], NO_ANSWER]
    with pytest.raises(InvalidArgument, match="is asked only if 'Sure\\?' is 'true'"):
        fit_answers(asked(SURE, DETAIL), answers)


@pytest.mark.parametrize("question", [asked(COLOUR), asked(NAME), asked(COUNT), asked(COUNT, COUNT)])
@pytest.mark.parametrize("blank", [NO_ANSWER, [""]])
def test_an_empty_answer_is_never_sent(question: Question, blank: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        fit_answers(question, [blank] * len(question.questions))
