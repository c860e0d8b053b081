"""Answers to questions, checked before they are sent and spelled as OpenCode expects them.

Pure.
"""

from collections.abc import Sequence

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.vocabulary.field_values import read_answers, takes, texts_of
from opencode_mcp.opencode.vocabulary.models import Question, QuestionItem


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


def _hint(question: Question) -> str:
    offers = "; ".join(f"{item.question!r}: {_offer(item)}" for item in question.asked)
    return f"Give one list of answers for each question, in order. {offers}."


def _offer(item: QuestionItem) -> str:
    return takes(item) if item.required else f"{takes(item)}, or an empty list"
