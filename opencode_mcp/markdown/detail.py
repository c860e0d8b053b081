"""How much of a session a reader is shown: one measure for each kind of text, in characters.

Pure; what the kinds are drawn like is the business of ``transcript.py`` and ``tool_calls.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from opencode_mcp.markdown.layout import ANY_LENGTH
from opencode_mcp.opencode.models import Message


@dataclass(frozen=True, slots=True)
class Measure:
    """How many characters of each kind are shown at most."""

    text: int
    """Of what the person and the model say."""
    output: int
    """Of what a tool answers; its end."""
    thought: int
    """Of the model's reasoning; 0 folds it into a line that tells its length."""
    argument: int
    """Of an argument that is too long for the line of its call; 0 cuts it there."""
    added: int
    """Of what OpenCode wrote into the conversation by itself; 0 tells its length only."""


CONCISE = Measure(text=4000, output=600, thought=0, argument=0, added=0)
DETAILED = Measure(text=20_000, output=4000, thought=4000, argument=2000, added=2000)
WHOLE = Measure(text=ANY_LENGTH, output=ANY_LENGTH, thought=ANY_LENGTH, argument=ANY_LENGTH, added=ANY_LENGTH)


@dataclass(frozen=True, slots=True)
class View:
    """What a transcript is drawn with."""

    measure: Measure
    directory: str = ""
    """The project's; paths in it are told relative to it."""
    children: dict[str, Sequence[Message]] = field(default_factory=dict[str, Sequence[Message]])
    """The messages of subagents by session, until they are shown: each is shown once."""

    def relative(self, text: str) -> str:
        """Shorten the paths in a text."""
        root = self.directory.rstrip("/\\")
        return text.replace(f"{root}/", "").replace(f"{root}\\", "") if root else text
