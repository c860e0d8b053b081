"""Actions of the scripted model in an answer: each as data, and as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """Say ``text``, or ``words`` numbered words; ``chunk`` words in one piece, ``delay`` seconds after each."""

    text: str = ""
    words: int = 0
    chunk: int = 20
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Think aloud, as reasoning models do."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Call a tool; several in one step are called together."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait until a test releases the hold of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Say nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Answer with an HTTP error the first ``times`` times that the step is asked for; 0 means always.

    Only before anything was said, since a status line cannot be taken back.
    """

    status: int
    message: str = "The scripted model fails."
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    times: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """Drop the connection in the middle of the answer, the first ``times`` times; 0 means always."""

    times: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """Name the reason for the end, such as ``length``, instead of the one that fits."""

    reason: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Report these token counts."""

    input: int = 100
    output: int = 20


Action = Text | Reasoning | ToolCall | Hold | Silence | Failure | Cut | Finish | Usage
Step = tuple[Action, ...]
KINDS: Mapping[str, type[Action]] = {
    "text": Text,
    "reasoning": Reasoning,
    "tool": ToolCall,
    "hold": Hold,
    "silence": Silence,
    "failure": Failure,
    "cut": Cut,
    "finish": Finish,
    "usage": Usage,
}
NAMES: Mapping[type[Action], str] = {kind: name for name, kind in KINDS.items()}


def encode(action: Action) -> dict[str, object]:
    """Put an action into JSON, without what is as usual."""
    encoded: dict[str, object] = {"do": NAMES[type(action)]}
    for item in fields(action):
        value: object = getattr(action, item.name)
        if value != item.default:
            encoded[item.name] = value
    return encoded


def decode(encoded: dict[str, Any]) -> Action:
    """Read an action back.

    Raises:
        KeyError: There is no such action.
        TypeError: It has no such field, or lacks one.
    """
    return KINDS[encoded["do"]](**{name: value for name, value in encoded.items() if name != "do"})
