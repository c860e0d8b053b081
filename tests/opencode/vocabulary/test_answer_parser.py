"""Answers, which are texts, become values of the type that a question takes; what does not fit is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.vocabulary.answer_parser import (
    FieldValue,
    conditions,
    read_answers,
    read_value,
    takes,
    texts_of,
)
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import (
    Choice,
    Condition,
    FieldKind,
    Question,
    QuestionItem,
)
from tests.harness.each import for_each

COLOURS = [Choice(label="Red", value="#f00"), Choice(label="Blue", value="#00f")]
ALL: dict[str, QuestionItem] = {
    "text": QuestionItem(question="Text?", kind="text"),
    "optional text": QuestionItem(question="Text?", kind="text", required=False),
    "short": QuestionItem(question="Short?", kind="text", min_length=2, max_length=3),
    "email": QuestionItem(question="E-mail?", kind="text", format="email"),
    "uri": QuestionItem(question="URL?", kind="text", format="uri"),
    "date": QuestionItem(question="Date?", kind="text", format="date"),
    "date-time": QuestionItem(question="Time?", kind="text", format="date-time"),
    "new format": QuestionItem(question="New?", kind="text", format="ipv6"),
    "number": QuestionItem(question="Number?", kind="number", minimum=0, maximum=1.5),
    "integer": QuestionItem(question="Integer?", kind="integer", minimum=1),
    "boolean": QuestionItem(question="Really?", kind="boolean"),
    "external": QuestionItem(question="Log in", kind="external", url="https://example.com/login"),
    "colour": QuestionItem(question="Colour?", options=COLOURS, custom=False),
    "colour or words": QuestionItem(question="Colour?", options=COLOURS),
    "colours": QuestionItem(question="Colours?", options=COLOURS, custom=False, multiple=True),
    "one or two": QuestionItem(question="Colours?", options=COLOURS, multiple=True, min_items=1, max_items=2),
}


@for_each(
    ("field", "texts", "value"),
    [
        ("text", ["any words "], "any words "),
        ("short", ["ab"], "ab"),
        ("short", ["😀"], "😀"),
        ("email", ["ada@example.com"], "ada@example.com"),
        ("uri", ["https://example.com/a?b=c"], "https://example.com/a?b=c"),
        ("uri", ["mailto:ada@example.com"], "mailto:ada@example.com"),
        ("date", ["2024-02-29"], "2024-02-29"),
        ("date-time", ["2026-11-26T10:00:00Z"], "2026-11-26T10:00:00Z"),
        ("new format", ["anything"], "anything"),
        ("number", ["0.25"], 0.25),
        ("number", [" 1e-1 "], 0.1),
        ("number", ["1.0"], 1),
        ("integer", ["3"], 3),
        ("integer", ["+3.0"], 3),
        ("boolean", ["Yes"], True),
        ("boolean", ["false"], False),
        ("external", ["true"], True),
        ("colour", ["#f00"], "#f00"),
        ("colour", ["rED"], "#f00"),
        ("colour or words", ["Green"], "Green"),
        ("colours", ["blue", "#F00"], ["#00f", "#f00"]),
        ("one or two", ["Red", "Green"], ["#f00", "Green"]),
    ],
)
def test_an_answer_is_read_as_the_type_that_the_question_takes(field: str, texts: list[str], value: FieldValue) -> None:
    read = read_value(ALL[field], texts)
    assert (read, type(read)) == (value, type(value))
    assert read_value(ALL[field], texts_of(read)) == read


@for_each(
    ("field", "texts", "said"),
    [
        ("text", [], "'Text?' takes one answer: a text."),
        ("text", ["a", "b"], "'Text?' takes one answer: a text."),
        ("text", [""], "'' is not an answer to 'Text?': it takes a text."),
        ("short", ["a"], "it takes a text from 2 to 3 characters."),
        ("short", ["abcd"], "it takes a text from 2 to 3 characters."),
        ("short", ["😀😀"], "it takes a text from 2 to 3 characters."),
        ("email", ["ada"], "it takes an e-mail address."),
        ("uri", ["example.com/a b"], "it takes a URL."),
        ("uri", ["http://[1"], "it takes a URL."),
        ("date", ["2026-02-30"], "it takes a date such as 2026-11-26."),
        ("date", ["20260228"], "it takes a date such as 2026-11-26."),
        ("date-time", ["noon"], "it takes a date with a time, such as 2026-11-26T10:00:00Z."),
        ("number", ["a few"], "it takes a number from 0 to 1.5."),
        ("number", ["2"], "it takes a number from 0 to 1.5."),
        ("number", ["nan"], "it takes a number from 0 to 1.5."),
        ("number", ["1e999"], "it takes a number from 0 to 1.5."),
        ("number", ["1_0"], "it takes a number from 0 to 1.5."),
        ("number", ["٣"], "it takes a number from 0 to 1.5."),
        ("integer", ["1.5"], "it takes a whole number of at least 1."),
        ("integer", ["0"], "it takes a whole number of at least 1."),
        ("integer", ["9" * 5000], "it takes a whole number of at least 1."),
        ("boolean", ["maybe"], "'maybe' is not an answer to 'Really?': it takes yes or no."),
        ("external", ["no"], "it takes yes, after a person has opened https://example.com/login."),
        ("colour", ["Green"], "'Green' is not an answer to 'Colour?'."),
        ("colour or words", [" "], "' ' is not an answer to 'Colour?'."),
        ("colours", [], "'Colours?' takes one or more answers."),
        ("one or two", ["a", "b", "c"], "'Colours?' takes answers from 1 to 2 in number."),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_what_would(field: str, texts: list[str], said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_value(ALL[field], texts)
    assert refused.value.message.endswith(said)


@given(st.sampled_from(sorted(ALL)), st.lists(st.text(max_size=30), max_size=3))
def test_any_texts_are_read_or_refused(field: str, texts: list[str]) -> None:
    item = ALL[field]
    try:
        value = read_value(item, texts)
    except InvalidArgument:
        assert takes(item)
    else:
        assert read_value(item, texts_of(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.text() | st.lists(st.text()))
def test_a_value_becomes_texts_that_are_read_as_the_same_value(value: FieldValue) -> None:
    kinds: dict[type, FieldKind] = {bool: "boolean", float: "number", str: "text", list: "choice"}
    item = QuestionItem(question="?", kind=kinds[type(value)], multiple=True)
    texts = texts_of(value)
    if texts and all(text.strip() for text in texts):
        assert read_value(item, texts) == value


# Conditions, optional and hidden questions

MODE = QuestionItem(question="Advanced?", key="mode", kind="boolean")
DETAIL = QuestionItem(question="Detail?", key="detail", kind="text", when=[Condition(key="mode", value=True)])
FURTHER = QuestionItem(
    question="More?", key="more", kind="integer", when=[Condition(key="detail", op="neq", value="none")]
)
OPTIONAL = QuestionItem(question="Note?", key="note", kind="text", required=False)
HIDDEN = QuestionItem(question="Server", key="server", kind="text", hidden=True, default="https://example.com")
FOR_SERVER = QuestionItem(
    question="Region?", key="region", kind="text", when=[Condition(key="server", value="https://example.com")]
)


NONE: list[str] = []


def asked(*items: QuestionItem) -> Question:
    return Question(id="frm_1", session_id="ses_1", questions=list(items))


@for_each(
    ("question", "answers", "values"),
    [
        (asked(MODE, DETAIL), [["yes"], ["x"]], [True, "x"]),
        (asked(MODE, DETAIL), [["no"], []], [False, None]),
        (asked(MODE, DETAIL, FURTHER), [["yes"], ["x"], ["3"]], [True, "x", 3]),
        (asked(MODE, DETAIL, FURTHER), [["yes"], ["none"], []], [True, "none", None]),
        (asked(MODE, DETAIL, FURTHER), [["no"], [], []], [False, None, None]),
        (asked(MODE, OPTIONAL), [["yes"], []], [True, None]),
        (asked(MODE, OPTIONAL), [["yes"], [""]], [True, None]),
        (asked(HIDDEN, MODE), [["yes"]], ["https://example.com", True]),
        (asked(HIDDEN, FOR_SERVER), [["eu"]], ["https://example.com", "eu"]),
        (asked(HIDDEN.model_copy(update={"default": None}), MODE), [["yes"]], [None, True]),
    ],
)
def test_only_the_questions_whose_conditions_hold_get_values(
    question: Question, answers: list[list[str]], values: list[FieldValue | None]
) -> None:
    assert read_answers(question, answers) == values


@pytest.mark.parametrize(
    ("question", "answers", "said"),
    [
        (asked(MODE, DETAIL), [["yes"], NONE], "'Detail?' takes one answer: a text."),
        (asked(MODE, DETAIL), [["no"], ["x"]], "'Detail?' is asked only if 'Advanced?' is 'true'."),
        (asked(OPTIONAL), [NONE], "None of the questions is answered."),
        (asked(OPTIONAL, HIDDEN), [[""]], "None of the questions is answered."),
        (asked(HIDDEN, MODE), [["a"], ["yes"]], "2 answers were given to 1 questions."),
    ],
)
def test_answers_that_would_be_empty_or_out_of_place_are_refused(
    question: Question, answers: list[list[str]], said: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_answers(question, answers)
    assert refused.value.message.endswith(said)


def test_a_form_that_shows_all_questions_may_answer_one_that_is_not_asked() -> None:
    assert read_answers(asked(MODE, DETAIL), [["no"], ["x"]], whole_form=True) == [False, None]


def test_conditions_name_the_questions_that_they_depend_on() -> None:
    assert conditions(FURTHER, [MODE, DETAIL, FURTHER]) == "'Detail?' is not 'none'"
    assert conditions(MODE, [MODE]) == ""
