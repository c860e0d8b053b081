"""Questions that a model asked with the question tool, and their answers, as a part of a conversation. Pure."""

from collections.abc import Sequence

from opencode_mcp.markdown.detail_level import CUT_OFF, TranscriptOptions
from opencode_mcp.markdown.layout import Block, Excerpt, PlainLine
from opencode_mcp.opencode.vocabulary.wire.parts import QUESTION_TOOL, ToolPart
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_list, as_map, as_maps, as_text

ASKED = "- asked →"
ANSWERED = "- answer →"
UNANSWERED = "no answer"
ASKS_ABOVE = "- asks what is shown above; no answer so far"
OPEN = frozenset({"pending", "running"})
"""Statuses of a call whose questions may still be answered."""


def has_questions(part: ToolPart) -> bool:
    """Return True for a call of the question tool whose questions have the known form."""
    return part.tool == QUESTION_TOOL and bool(as_maps(part.state.input.get("questions")))


def question_blocks(part: ToolPart, options: TranscriptOptions) -> list[Block]:
    """Return the blocks of a call of the question tool: each question with its options, then its answer.

    Args:
        part: The call.
        options: Amount of detail.
    """
    if options.requests.questions_above and part.state.status in OPEN:
        return [PlainLine(ASKS_ABOVE)]
    questions = as_maps(part.state.input.get("questions"))
    answers = _answers(part)
    blocks: list[Block] = []
    for index, question in enumerate(questions):
        blocks.append(Excerpt(_asked(question), options.measure.text, ASKED))
        if index < len(answers):
            blocks.append(Excerpt(answers[index], options.measure.text, ANSWERED))
    if not questions or len(answers) < len(questions):
        blocks.append(_end(part, options))
    return blocks


def _answers(part: ToolPart) -> list[str]:
    """Return the answer to each question; an empty list if OpenCode has not recorded them one by one."""
    recorded = as_list(as_map(part.state.metadata).get("answers"))
    return [", ".join(map(str, as_list(answer))) or UNANSWERED for answer in recorded]


def _asked(question: JsonMap) -> str:
    options = as_maps(question.get("options"))
    return "\n".join([as_text(question.get("question")) or "no words", *_options(options)])


def _options(options: Sequence[JsonMap]) -> list[str]:
    lines: list[str] = []
    for option in options:
        description = as_text(option.get("description"))
        lines.append(f'- "{as_text(option.get("label"))}"' + (f" ({description})" if description else ""))
    return lines


def _end(part: ToolPart, options: TranscriptOptions) -> Block:
    """Return the block for a call whose answers are not recorded one by one."""
    state = part.state
    match state.status:
        case "completed":
            return Excerpt(state.output or UNANSWERED, options.measure.text, ANSWERED)
        case "error":
            return Excerpt(state.error or "no reason given", options.measure.output, "- not answered →")
        case _:
            return PlainLine("- cut off without an answer" if state.status == CUT_OFF else "- no answer so far")
