"""Messages of OpenCode 2 as its server lists them, in short form, for tests."""

from collections.abc import Mapping, Sequence

from opencode_mcp.opencode.v2.messages.conversation import to_messages
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.runs.outcome.state import Evidence, State, classify
from opencode_mcp.runs.run_record import answers_in

SESSION = "ses_1"
Item = Mapping[str, object]


def item(kind: str, number: int, **fields: object) -> dict[str, object]:
    """A message, created at the second of its number."""
    return {"id": f"msg_{number:03}", "type": kind, "time": {"created": number * 1000}, **fields}


def prompt(number: int, **fields: object) -> dict[str, object]:
    """A prompt."""
    return item("user", number, **{"text": "Do it.", **fields})


def step(number: int, finish: str = "stop", *content: Item, **fields: object) -> dict[str, object]:
    """A step of the model that took half a second; one without ``finish`` is incomplete."""
    time = {"created": number * 1000, "completed": number * 1000 + 500}
    ended: dict[str, object] = {"time": time, "finish": finish, "cost": 0.5, "tokens": TOKENS} if finish else {}
    model = {"id": "m1", "providerID": "scripted"}
    return item("assistant", number, agent="build", model=model, content=list(content), **{**ended, **fields})


def stopped_step(number: int) -> dict[str, object]:
    """A step that was interrupted."""
    return step(number, "error", error={"type": "aborted", "message": "Step interrupted"})


def idle(number: int, outcome: str = "succeeded", **fields: object) -> dict[str, object]:
    """The end of an execution."""
    return item("idle", number, outcome=outcome, **fields)


def said(text: str) -> Item:
    """A text of the model."""
    return {"type": "text", "text": text}


def call(name: str, state: Item, call_id: str = "call_1") -> Item:
    """A tool call."""
    return {"type": "tool", "id": call_id, "name": name, "executed": False, "time": {"created": 0}, "state": state}


TOKENS = {"input": 100, "output": 20, "reasoning": 5, "cache": {"read": 0, "write": 0}}


def read(*items: object, prompt: str = "") -> list[Message]:
    """Convert messages of the session."""
    return to_messages(items, SESSION, prompt=prompt)


def verdict(messages: Sequence[Message], message_id: str) -> tuple[State, list[str]]:
    """Return the state of a prompt's run while the session is idle, and the ids of its answers."""
    answers = answers_in(list(messages), message_id)
    evidence = Evidence(answers=[answer.info for answer in answers], empty=bool(answers) and is_empty(answers[-1]))
    return classify(evidence), [answer.info.id for answer in answers]


def is_empty(message: Message) -> bool:
    """Tell whether a message shows no end of a step and no content."""
    return not message.info.finish and not any(part.type in {"text", "tool"} for part in message.parts)


def only_call(message: Message) -> ToolPart:
    """Return the tool call of a message that has one."""
    (found,) = (part for part in message.parts if isinstance(part, ToolPart))
    return found
