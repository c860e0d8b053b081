"""Beginning of a prompt, by which a person recognises its run."""

from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import SubtaskPart
from opencode_mcp.runs.outcome.answer_summary import first_words, visible_text


def prompt_beginning(prompt: Message) -> str:
    """Return the beginning of a prompt in one line."""
    subtasks = [part.prompt or part.description for part in prompt.parts if isinstance(part, SubtaskPart)]
    return first_words(" ".join([visible_text(prompt), *subtasks]).strip())
