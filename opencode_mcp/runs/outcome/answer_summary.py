"""Summary of the answer to one prompt, and the rule that says when a completed run has no whole answer.

It gets the assistant's messages of a run, as ``runs/run_record.py`` finds them.
"""

from dataclasses import dataclass, field
from typing import Any

from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import TextPart
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.runs.outcome.endings import refusal_of
from opencode_mcp.runs.outcome.run_report import Usage
from opencode_mcp.runs.outcome.shortfall_sentences import CUT, NO_ANSWER
from opencode_mcp.text.outside_text import one_line

WORDS_LIMIT = 80
"""Characters of a prompt that name its run."""


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """Summary of the assistant's messages of one run."""

    text: str = ""
    text_message: str = ""
    """Id of the message with the text."""
    output: Any = None
    error: str = ""
    shortfall: str = ""
    """Reason why the text is not a whole answer; empty if it is one, or if there is an error."""
    model: str = ""
    agent: str = ""
    tokens: Usage = field(default_factory=Usage)
    cost: float = 0
    seconds: float = 0
    """Seconds from the beginning of the first message to the end of the last one."""
    ended: float = 0
    """End of the last message, in milliseconds since the epoch; 0 if there is none."""
    refused: str = ""
    """Sentence on the refused call that ended the run; empty if none did."""
    failure: Failure | None = None


def summarise(answers: list[Message]) -> AnswerSummary:
    """Summarise the assistant's messages of one run; oldest first, perhaps none."""
    if not answers:
        return AnswerSummary()
    last = answers[-1].info
    last_with_text = _last_with_text(answers)
    return AnswerSummary(
        text=visible_text(last_with_text) if last_with_text else "",
        text_message=last_with_text.info.id if last_with_text else "",
        output=last.structured,
        error=last.error.text if last.error else "",
        shortfall=_shortfall(answers),
        model=last.model,
        agent=last.agent,
        tokens=_tokens(answers),
        cost=round(sum(message.info.cost for message in answers), 6),
        seconds=round((_end(answers) - answers[0].info.time.created) / 1000, 3),
        ended=_end(answers),
        refused=refusal_of(answers[-1]),
        failure=last.error,
    )


def _last_with_text(answers: list[Message]) -> Message | None:
    return next((message for message in reversed(answers) if visible_text(message)), None)


def _tokens(answers: list[Message]) -> Usage:
    total = Usage()
    for message in answers:
        tokens = message.info.tokens
        total.input += tokens.input
        total.output += tokens.output
        total.reasoning += tokens.reasoning
    return total


def first_words(text: str) -> str:
    """Return the beginning of a prompt, by which its run is recognised."""
    return one_line(" ".join(text.split()), WORDS_LIMIT)


def _shortfall(answers: list[Message]) -> str:
    """Explain why the last message is not a whole answer; an error explains itself."""
    last = answers[-1]
    if last.info.error:
        return ""
    is_cut = last.info.finish == "length"
    if visible_text(last) or _acted(last):
        return f"The answer was {CUT}." if is_cut else ""
    missing = f"{NO_ANSWER}: it was {CUT}." if is_cut else f"{NO_ANSWER}."
    return f"{missing} The text is what it said before." if _last_with_text(answers) else missing


def _acted(message: Message) -> bool:
    """Return True if a message needs no text: it called a tool, or gave structured output."""
    return message.info.structured is not None or bool(message.tool_calls)


def visible_text(message: Message) -> str:
    """Return the text of a message, without the parts that OpenCode added for the model only."""
    parts = (part for part in message.parts if isinstance(part, TextPart) and not part.synthetic and not part.ignored)
    return "\n\n".join(part.text.strip() for part in parts if part.text.strip())


def _end(answers: list[Message]) -> float:
    return max(message.info.time.completed or message.info.time.created for message in answers)
