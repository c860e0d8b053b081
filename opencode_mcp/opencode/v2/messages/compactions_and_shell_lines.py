"""Messages of OpenCode 2 that the vocabulary has as two: what was asked for, and the assistant's answer. Pure.

These are compactions and a person's shell lines. The first message of the two has the id of OpenCode's message, and
the second one has that id with a suffix; ``source_id`` takes the suffix off.
"""

from collections.abc import Mapping

from opencode_mcp.opencode.v2.failures import failure_of, interruption
from opencode_mcp.opencode.v2.messages.message_conversions import (
    Converter,
    created_in,
    make_message,
    span_in,
    usage_in,
)
from opencode_mcp.opencode.v2.messages.message_parts import PartList
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import SHELL_LINE_NOTE
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_map, as_number, as_text

SUMMARY = ":summary"
OUTPUT = ":output"
UNFINISHED = "running"
"""Status of a compaction or a shell command that has not ended."""


def source_id(message_id: str) -> str:
    """Return the id of OpenCode's message from which a message of the vocabulary was made."""
    return message_id.removesuffix(SUMMARY).removesuffix(OUTPUT)


def _compaction(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    message_id, status = as_text(item.get("id")), as_text(item.get("status"))
    request, summary = PartList(session_id, message_id), PartList(session_id, message_id + SUMMARY)
    request.add("compaction", auto=as_text(item.get("reason")) == "auto")
    summary.add("text", text=as_text(item.get("summary")))
    created = created_in(item)
    time = created if status == UNFINISHED else {**created, "completed": created["created"]}
    fields: dict[str, object] = {
        **usage_in(item),
        "parentID": message_id,
        "summary": True,
        "finish": "stop" if status == "completed" else "",
        "error": failure_of(as_map(item.get("error"))),
    }
    return [make_message(request, "user", created), make_message(summary, "assistant", time, **fields)]


def _shell(item: JsonMap, session_id: str, _prompt: str) -> list[Message]:
    message_id, call_id = as_text(item.get("id")), as_text(item.get("shellID"))
    line, output = PartList(session_id, message_id), PartList(session_id, message_id + OUTPUT)
    line.add("text", text=SHELL_LINE_NOTE, synthetic=True)
    output.add("tool", id=call_id, callID=call_id, tool="shell", state=_shell_state(item))
    status = as_text(item.get("status"))
    fields: dict[str, object] = {
        "parentID": message_id,
        "error": _shell_error(status),
        "ended": status != UNFINISHED,
    }
    return [make_message(line, "user", created_in(item)), make_message(output, "assistant", span_in(item), **fields)]


def _shell_state(item: JsonMap) -> dict[str, object]:
    output, exit_code = as_map(item.get("output")), as_number(item.get("exit"))
    metadata: dict[str, object] = {"truncated": output.get("truncated") is True}
    return {
        "status": UNFINISHED if as_text(item.get("status")) == UNFINISHED else "completed",
        "input": {"command": as_text(item.get("command"))},
        "output": as_text(output.get("output")),
        "metadata": metadata if exit_code is None else {**metadata, "exit": exit_code},
    }


def _shell_error(status: str) -> Failure | None:
    match status:
        case "killed":
            return interruption()
        case "timeout":
            return Failure(name="ShellTimeout", data={"message": "The command reached its time limit."})
        case _:
            return None


CONVERTERS: Mapping[str, Converter] = {"compaction": _compaction, "shell": _shell}
"""Converters by the type of the message."""
