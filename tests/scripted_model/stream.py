"""One answer as it goes over the wire: the actions of a step as chat-completion chunks, in their own time."""

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

import anyio

from tests.scripted_model.actions import Action, Cut, Finish, Hold, Reasoning, Silence, Step, Text, ToolCall, Usage

Json = Mapping[str, object]


class Dropped(Exception):
    """The script wants the connection cut here."""


@dataclass(slots=True)
class Gate:
    """A hold point: whether the model has come to it, and whether it may go on."""

    reached: anyio.Event = field(default_factory=anyio.Event)
    released: anyio.Event = field(default_factory=anyio.Event)


class Gates:
    """The hold points by name. A gate released before the model reaches it is open."""

    def __init__(self) -> None:
        self._gates = defaultdict[str, Gate](Gate)

    def release(self, name: str) -> None:
        """Let everything that waits at this gate, now or later, go on."""
        self._gates[name].released.set()

    def forget(self) -> None:
        """Let everything go on, and begin with no gate reached or released."""
        for gate in self._gates.values():
            gate.released.set()
        self._gates.clear()

    async def reached(self, name: str) -> None:
        """Wait until the model has reached this gate."""
        await self._gates[name].reached.wait()

    async def hold(self, name: str) -> None:
        """Wait at this gate until it is released."""
        self._gates[name].reached.set()
        await self._gates[name].released.wait()


async def play(step: Step, model: str, gates: Gates, attempt: int) -> AsyncIterator[str]:
    """Yield the server-sent events of one answer.

    Raises:
        Dropped: The connection is to be cut.
    """
    calls = count()
    for action in step:
        await pause(action, gates, attempt)
        for delta in _deltas(action, calls):
            yield _event(model, delta)
            await anyio.sleep(action.delay if isinstance(action, Text) else 0)
    yield _event(model, {}, finish=_finish(step), usage=_usage(step))
    yield "data: [DONE]\n\n"


async def pause(action: Action, gates: Gates, attempt: int) -> None:
    """Do what an action does to time and to the connection, if anything.

    Raises:
        Dropped: The connection is to be cut.
    """
    match action:
        case Hold(name):
            await gates.hold(name)
        case Silence(seconds):
            await anyio.sleep(seconds)
        case Cut(times) if not times or attempt <= times:
            raise Dropped
        case _:
            pass


def _deltas(action: Action, calls: Iterator[int]) -> Iterator[Json]:
    match action:
        case Text():
            for piece in _pieces(action):
                yield {"role": "assistant", "content": piece}
        case Reasoning(thought):
            yield {"role": "assistant", "reasoning_content": thought}
        case ToolCall():
            yield from _call(action, next(calls))
        case _:
            pass


def _pieces(said: Text) -> Iterator[str]:
    words = [f"word{number} " for number in range(said.words)] or re.findall(r"\s*\S+\s*", said.text)
    for start in range(0, len(words), said.chunk):
        yield "".join(words[start : start + said.chunk])


def _call(call: ToolCall, place: int) -> Iterator[Json]:
    """Name the tool first and send the arguments after, as real models do."""
    # OpenCode needs ids that are unique in a conversation.
    opening = {"index": place, "id": f"call_{uuid4().hex}", "type": "function"}
    yield {"role": "assistant", "tool_calls": [{**opening, "function": {"name": call.name, "arguments": ""}}]}
    yield {"tool_calls": [{"index": place, "function": {"arguments": json.dumps(dict(call.arguments))}}]}


def _finish(step: Step) -> str:
    called = any(isinstance(action, ToolCall) for action in step)
    fitting = "tool_calls" if called else "stop"
    return next((action.reason for action in step if isinstance(action, Finish)), fitting)


def _usage(step: Step) -> Json:
    used = next((action for action in step if isinstance(action, Usage)), Usage())
    return {"prompt_tokens": used.input, "completion_tokens": used.output, "total_tokens": used.input + used.output}


def _event(model: str, delta: Json, *, finish: str | None = None, usage: Json | None = None) -> str:
    chunk = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **({"usage": usage} if usage else {}),
    }
    return f"data: {json.dumps(chunk)}\n\n"
