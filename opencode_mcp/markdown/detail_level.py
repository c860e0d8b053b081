"""Amount of detail in a transcript: the parts that are shown, and one limit for each kind of text, in characters.

Pure. ``transcript.py`` and ``tool_calls.py`` render the texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opencode_mcp.markdown.layout import ANY_LENGTH
from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import (
    QUESTION_TOOL,
    CompactionPart,
    FilePart,
    Part,
    RetryPart,
    SubtaskPart,
    TextPart,
    ToolPart,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """Most characters of each kind that are shown."""

    text: int
    """Text of the person and the model."""
    output: int
    """Output of a tool; its end is shown."""
    thought: int
    """Reasoning of the model; 0 reduces it to a line with its length."""
    argument: int
    """Argument that is too long for the line of its call; 0 cuts it there."""
    added: int
    """Text that OpenCode added to the conversation; 0 shows only its length."""


CONCISE = Measure(text=4000, output=600, thought=0, argument=0, added=0)
DETAILED = Measure(text=20_000, output=4000, thought=4000, argument=2000, added=2000)
WHOLE = Measure(text=ANY_LENGTH, output=ANY_LENGTH, thought=ANY_LENGTH, argument=ANY_LENGTH, added=ANY_LENGTH)
MEASURES: Mapping[ShownParts, Measure] = {
    "brief": CONCISE,
    "conversation": DETAILED,
    "tools": DETAILED,
    "everything": DETAILED,
}
CONVERSATION_PARTS = (FilePart, SubtaskPart, RetryPart, CompactionPart)
"""Parts of a conversation besides texts."""
CUT_OFF = "cut off"
"""Status of a tool call that OpenCode was ended in, which it keeps as running; see ``cut_off_calls.py``."""


@dataclass(frozen=True, slots=True)
class PermissionAnswer:
    """Answer to a permission."""

    text: str
    """Text that says what was answered, by whom and after which time."""
    reason: str = ""
    """Reason of a refusal, as far as it is known."""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """Facts about the requests of a session that its messages do not tell."""

    permissions: Mapping[str, PermissionAnswer] = field(default_factory=dict[str, PermissionAnswer])
    """Answers to permissions by the call that asked."""
    questions_above: bool = False
    """True if questions without an answer are shown above the transcript, so that it does not repeat them."""


NO_REQUEST_FACTS = RequestFacts()


@dataclass(frozen=True, slots=True)
class TranscriptOptions:
    """Parameters of a transcript's rendering."""

    measure: Measure
    shown: ShownParts = "everything"
    """Parts that are shown."""
    directory: str = ""
    """Path of the project; paths in it are shown relative to it."""
    children: dict[str, Sequence[Message]] = field(default_factory=dict[str, Sequence[Message]])
    """Messages of subagents by session, until they are shown: each is shown once."""
    undone: frozenset[str] = frozenset()
    """Messages that are undone, by id."""
    requests: RequestFacts = NO_REQUEST_FACTS

    @property
    def is_filtered(self) -> bool:
        """Return True if only some kinds of parts are shown."""
        return self.shown in {"conversation", "tools"}

    def shows(self, part: Part) -> bool:
        """Return True if a part is shown."""
        match self.shown:
            case "conversation":
                if isinstance(part, ToolPart):
                    return part.tool == QUESTION_TOOL
                return isinstance(part, CONVERSATION_PARTS) or (isinstance(part, TextPart) and not part.synthetic)
            case "tools":
                return isinstance(part, ToolPart) or (isinstance(part, TextPart) and part.announces_shell_line)
            case _:
                return True

    def relative(self, text: str) -> str:
        """Shorten the paths in a text."""
        root = self.directory.rstrip("/\\")
        return text.replace(f"{root}/", "").replace(f"{root}\\", "") if root else text
