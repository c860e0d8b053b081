"""Answers to questions, checked before they are sent and spelled as OpenCode expects them.

Pure.
"""

from collections.abc import Sequence

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.vocabulary.answer_parser import read_answers, takes, texts_of
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Question, QuestionItem
from opencode_mcp.text.outside_text import one_line


def fit_answers(question: Question, answers: Sequence[Sequence[str]], *, whole_form: bool = False) -> list[list[str]]:
    """Check answers against the questions, and spell them as OpenCode does.

    Args:
        question: What OpenCode asks.
        answers: One list for each of ``question.asked``, in order.
        whole_form: As for ``read_answers``.

    Returns:
        One list for each of ``question.asked``; it is empty for a question that is left out.

    Raises:
        InvalidArgument: The number of answers differs, or an answer does not fit its question.
    """
    try:
        values = read_answers(question, answers, whole_form=whole_form)
    except InvalidArgument as error:
        raise InvalidArgument(error.message, hint=_hint(question)) from error
    of_items = zip(question.questions, values, strict=True)
    return [texts_of(value) for item, value in of_items if not item.hidden]


def read_differently(question: Question, answers: Sequence[Sequence[str]], fitted: Sequence[Sequence[str]]) -> str:
    """Return a note on the answers to choices that are no label: those taken as one, and those passed on as own words.

    Args:
        question: What OpenCode asked.
        answers: What was given, one list for each of ``question.asked``.
        fitted: What ``fit_answers`` made of it.
    """
    notes: list[str] = []
    for item, given, sent in zip(question.asked, answers, fitted, strict=True):
        if item.kind == "choice" and item.options and len(given) == len(sent):
            notes += [_difference(item, one, other) for one, other in zip(given, sent, strict=True)]
    return " ".join(filter(None, notes))


def _difference(item: QuestionItem, given: str, sent: str) -> str:
    option = next((option for option in item.options if option.answer == sent), None)
    if option is None:
        return f'"{one_line(given)}" is no label of the question, so it was passed on as own words.'
    if given in {option.label, option.answer}:
        return ""
    return f'"{one_line(given)}" was taken as the option "{one_line(option.label)}".'


def _hint(question: Question) -> str:
    offers = "; ".join(f"{item.question!r}: {_offer(item)}" for item in question.asked)
    return f"Give one list of answers for each question, in order. {offers}."


def _offer(item: QuestionItem) -> str:
    return takes(item) if item.required else f"{takes(item)}, or an empty list"
