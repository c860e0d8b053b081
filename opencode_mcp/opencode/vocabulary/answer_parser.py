"""Parser of answers to questions: checks the text for each field, and converts it to the type of the field.

Pure. The checks are those of OpenCode 2, so that an answer is refused before it is sent, with a better explanation. One
is left to OpenCode: a pattern is a regular expression of JavaScript, and a hostile one could stop the bridge.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from urllib.parse import urlsplit

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import (
    Choice,
    Condition,
    FieldKind,
    Question,
    QuestionItem,
)

FieldValue = str | float | bool | list[str]
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?", re.ASCII)
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
FORMATS: Mapping[str, str] = {
    "email": "an e-mail address",
    "uri": "a URL",
    "date": "a date such as 2026-11-26",
    "date-time": "a date with a time, such as 2026-11-26T10:00:00Z",
}
AROUND = "\"'`.,:;!()[]\u201c\u201d\u2018\u2019\u00ab\u00bb"
"""Characters in an answer that make no difference between options."""
BLANKS = str.maketrans(dict.fromkeys(AROUND, " "))
NO_VALUE = "None of the questions is answered."


def read_answers(
    question: Question, answers: Sequence[Sequence[str]], *, whole_form: bool = False
) -> list[FieldValue | None]:
    """Parse the answers to a request.

    Args:
        question: The request.
        answers: One list of texts for each of ``question.asked``, in order; an empty list leaves a question out.
        whole_form: Whether the answers come from a form that shows all questions at once. An answer to a question whose
            condition does not hold is then left out, and not refused.

    Returns:
        A value for each of ``question.questions``; ``None`` if it gets no answer.

    Raises:
        InvalidArgument: The number of answers differs, an answer does not fit its question, or none is left.
    """
    if len(answers) != len(question.asked):
        raise InvalidArgument(f"{len(answers)} answers were given to {len(question.asked)} questions.")
    values: dict[str, FieldValue] = {}
    found: list[FieldValue | None] = []
    for item, texts in _with_texts(question, answers):
        if is_asked(item, values):
            value = _value(item, texts)
        elif any(texts) and not whole_form:
            raise InvalidArgument(f"{item.question!r} is asked only if {conditions(item, question.questions)}.")
        else:
            value = None
        if value is not None:
            values[item.key] = value
        found.append(value)
    if not _has_answer(question, found):
        raise InvalidArgument(NO_VALUE)
    return found


def _with_texts(question: Question, answers: Sequence[Sequence[str]]) -> Iterator[tuple[QuestionItem, Sequence[str]]]:
    """Yield each question with the texts of its answer; a hidden one has none."""
    given = iter(answers)
    for item in question.questions:
        yield item, () if item.hidden else next(given)


def _has_answer(question: Question, values: Sequence[FieldValue | None]) -> bool:
    """Return True if a question that is not hidden has a value."""
    pairs = zip(question.questions, values, strict=True)
    return any(value is not None and not item.hidden for item, value in pairs)


def _value(item: QuestionItem, texts: Sequence[str]) -> FieldValue | None:
    """Return the value of a question that is asked; a hidden one has its default."""
    if item.hidden:
        return item.default
    return read_value(item, texts) if any(texts) or item.required else None


def is_asked(item: QuestionItem, values: Mapping[str, FieldValue]) -> bool:
    """Return True if the conditions of a question hold.

    Args:
        item: The question.
        values: The values of earlier questions, by key.
    """
    return all(_holds(condition, values.get(condition.key)) for condition in item.when)


def _holds(condition: Condition, value: FieldValue | None) -> bool:
    """Return True if a condition holds; it does not if the question that it refers to has no answer."""
    if value is None:
        return False
    found = condition.value in value if isinstance(value, list) else _same(value, condition.value)
    return found if condition.op == "eq" else not found


def _same(first: object, second: object) -> bool:
    """Compare as JavaScript does: ``true`` is not 1."""
    return first == second and isinstance(first, bool) == isinstance(second, bool)


def read_value(item: QuestionItem, texts: Sequence[str]) -> FieldValue:
    """Parse the answer to one question.

    Raises:
        InvalidArgument: It does not fit; the message says what the question takes.
    """
    if item.kind == "choice":
        chosen = _chosen(item, texts)
        return chosen if item.multiple else chosen[0]
    if len(texts) != 1:
        raise InvalidArgument(f"The question {item.question!r} takes one answer: {takes(item)}.")
    try:
        return READERS[item.kind](item, texts[0])
    except ValueError as error:
        raise InvalidArgument(f"{texts[0]!r} is not an answer to {item.question!r}: it takes {takes(item)}.") from error


def _chosen(item: QuestionItem, texts: Sequence[str]) -> list[str]:
    if not _is_right_number(item, len(texts)):
        raise InvalidArgument(f"The question {item.question!r} takes {_number_of_answers(item)}.")
    return [_option(item, text) for text in texts]


def _is_right_number(item: QuestionItem, number: int) -> bool:
    if not item.multiple:
        return number == 1
    least = max(1, item.min_items or 0)
    return number >= least and (item.max_items is None or number <= item.max_items)


def _number_of_answers(item: QuestionItem) -> str:
    if not item.multiple:
        return "one answer"
    if (item.min_items or 0) > 1 or item.max_items is not None:
        return f"answers{_between(max(1, item.min_items or 0), item.max_items)} in number"
    return "one or more answers"


def _option(item: QuestionItem, text: str) -> str:
    """Return what OpenCode expects for an answer: an option's value, also for a similar spelling, or own words."""
    if any(option.answer == text for option in item.options):
        return text
    similar = [option.answer for option in item.options if _bare(text) in _spellings(option)]
    if len(similar) == 1:
        return similar[0]
    if item.custom and text.strip():
        return text
    raise InvalidArgument(f"{text!r} is not an answer to {item.question!r}.")


def _spellings(option: Choice) -> set[str]:
    """Return the texts that can only mean an option: its label and its value, also with its description."""
    texts = [option.label, option.answer]
    if option.description:
        texts += [f"{option.label}{between}{option.description}" for between in (" ", ": ", " - ", " (")]
    return {_bare(text) for text in texts}


def _bare(text: str) -> str:
    """Return a text in one case, without quotes, brackets and punctuation, and with single spaces."""
    return " ".join(text.casefold().translate(BLANKS).split()) or text


def _text(item: QuestionItem, text: str) -> str:
    check = FORMAT_CHECKS.get(item.format)
    if not _has_right_length(item, text) or (check and not check(text)):
        raise ValueError(text)
    return text


def _has_right_length(item: QuestionItem, text: str) -> bool:
    if item.required and not text:
        return False
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2  # As JavaScript counts.
    is_too_long = item.max_length is not None and length > item.max_length
    return length >= (item.min_length or 0) and not is_too_long


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and not re.search(r"\s", text)


def _is_date(text: str) -> bool:
    return bool(DATE.fullmatch(text)) and _parses(date.fromisoformat, text)


def _is_time(text: str) -> bool:
    return _parses(datetime.fromisoformat, text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


FORMAT_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "email": lambda text: bool(EMAIL.fullmatch(text)),
    "uri": _is_url,
    "date": _is_date,
    "date-time": _is_time,
}


def _number(item: QuestionItem, text: str) -> float:
    stripped = text.strip()
    if not NUMBER.fullmatch(stripped):
        raise ValueError(text)
    value = float(stripped)
    if not math.isfinite(value) or _is_outside(item, value):
        raise ValueError(text)
    return int(value) if value.is_integer() else value


def _is_outside(item: QuestionItem, value: float) -> bool:
    too_small = item.minimum is not None and value < item.minimum
    return too_small or (item.maximum is not None and value > item.maximum)


def _integer(item: QuestionItem, text: str) -> int:
    value = _number(item, text)
    if value != int(value):
        raise ValueError(text)
    return int(value)


def _boolean(_: QuestionItem, text: str) -> bool:
    value = WORDS.get(text.strip().casefold())
    if value is None:
        raise ValueError(text)
    return value


def _opened(item: QuestionItem, text: str) -> bool:
    if not _boolean(item, text):
        raise ValueError(text)
    return True


READERS: Mapping[FieldKind, Callable[[QuestionItem, str], FieldValue]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "external": _opened,
}


def texts_of(value: FieldValue | None) -> list[str]:
    """Return a value as the texts of an answer, which ``read_value`` parses as the same value."""
    match value:
        case None:
            return []
        case list():
            return value
        case str():
            return [value]
        case bool() | int() | float():
            return [json.dumps(value)]


def takes(item: QuestionItem) -> str:
    """Describe the answers that a question takes: their type and limits."""
    match item.kind:
        case "choice":
            return _describe_options(item)
        case "text":
            return _describe_text(item)
        case "number" | "integer":
            named = "a number" if item.kind == "number" else "a whole number"
            return named + _between(item.minimum, item.maximum)
        case "boolean":
            return "yes or no"
        case "external":
            return f"yes, after a person has opened {item.url}"


def _describe_options(item: QuestionItem) -> str:
    return ", ".join(repr(option.label) for option in item.options) or "own words"


def _describe_text(item: QuestionItem) -> str:
    named = FORMATS.get(item.format, "a text")
    length = _between(item.min_length or None, item.max_length, " characters")
    return named + length + (f" that matches {item.pattern}" if item.pattern else "")


def _between(low: float | None, high: float | None, unit: str = "") -> str:
    if low is None and high is None:
        return ""
    if low is None:
        return f" of at most {_digits(high)}{unit}"
    if high is None:
        return f" of at least {_digits(low)}{unit}"
    return f" from {_digits(low)} to {_digits(high)}{unit}"


def _digits(value: float | None) -> str:
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def conditions(item: QuestionItem, items: Sequence[QuestionItem]) -> str:
    """Describe the conditions under which a question is asked; empty if it always is.

    Args:
        item: The question.
        items: All questions of the request, to which the conditions refer.
    """
    names = {other.key: other.header or other.question for other in items}
    return " and ".join(_condition(condition, names) for condition in item.when)


def _condition(condition: Condition, names: Mapping[str, str]) -> str:
    relation = "is" if condition.op == "eq" else "is not"
    return f"{names.get(condition.key, condition.key)!r} {relation} {texts_of(condition.value)[0]!r}"
