"""The schema of an answer as part of a prompt's text, for an OpenCode without structured output. Pure.

The schema is also in the prompt's metadata, where every bridge finds it again. The answer is a text, from which the
JSON value is read. If it is wrong, OpenCode is asked once to correct it, by a prompt whose id follows from the first
one's: so every bridge finds that prompt too, and OpenCode, which takes a prompt of one id once, never gets two of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.text.json_text import read_json
from opencode_mcp.text.json_values import as_map

METADATA_KEY = "opencode-mcp"
"""Key of a prompt's metadata that is the bridges' own."""
SCHEMA_KEY = "output_schema"
CORRECTION = "_correction"
"""End of the id of a prompt that asks for a corrected answer; no id of OpenCode's has it."""
INSTRUCTION = "Give the final answer as one JSON value that is valid against this JSON Schema, without any other text:"
AGAIN = "Give the whole answer again as one JSON value that is valid against the schema, without any other text."
FENCE = "```"
"""Beginning of the first line of a fenced block in Markdown, and its last line."""


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """JSON value in the text of an answer."""

    value: Any = None
    problem: str = ""
    """Reason why there is no value; empty if there is one."""
    is_whole_text: bool = False
    """True if the text says nothing else."""


def with_schema_in_text(prompt: PromptSubmission) -> PromptSubmission:
    """Return a prompt whose schema is part of its text and its metadata; one without a schema is returned unchanged."""
    if prompt.output_schema is None:
        return prompt
    schema = json.dumps(prompt.output_schema, ensure_ascii=False, indent=1)
    text = f"{prompt.text}\n\n{INSTRUCTION}\n\n```json\n{schema}\n```"
    metadata = {METADATA_KEY: {SCHEMA_KEY: dict(prompt.output_schema)}}
    return replace(prompt, text=text, output_schema=None, metadata=metadata)


def schema_of(prompt: Message) -> Mapping[str, Any] | None:
    """Return the schema that ``with_schema_in_text`` put into the metadata of a prompt; ``None`` if it has none."""
    metadata = as_map((prompt.info.model_extra or {}).get("metadata"))
    schema = as_map(metadata.get(METADATA_KEY)).get(SCHEMA_KEY)
    return cast("Mapping[str, Any]", schema) if isinstance(schema, Mapping) else None


def parse_answer(text: str) -> ParsedAnswer:
    """Read the JSON value in a text: the whole text, or its only fenced block."""
    blocks, rest = _fenced_blocks(text)
    if len(blocks) > 1:
        return ParsedAnswer(problem="The answer has several fenced blocks, and only one may hold the JSON value.")
    try:
        return ParsedAnswer(read_json((blocks[0] if blocks else text).strip()), is_whole_text=not (blocks and rest))
    except ValueError as error:
        return ParsedAnswer(problem=f"The answer is not JSON ({error}).")


def _fenced_blocks(text: str) -> tuple[list[str], str]:
    """Return the fenced blocks of a text, and the text outside of them."""
    blocks: list[str] = []
    outside: list[str] = []
    lines = outside
    for line in text.split("\n"):
        if lines is outside and line.startswith(FENCE):
            lines = []
        elif lines is not outside and line.rstrip() == FENCE:
            blocks.append("\n".join(lines))
            lines = outside
        else:
            lines.append(line)
    if lines is not outside:
        blocks.append("\n".join(lines))
    return blocks, "\n".join(outside).strip()


def correction_text(problem: str) -> str:
    """Return the prompt that asks for a corrected answer."""
    return f"The last answer does not fit the JSON Schema of the task. {problem}\n\n{AGAIN}"


def correction_id(message_id: str) -> str:
    """Return the id of the prompt that asks for a correction of the answer to a prompt."""
    return message_id + CORRECTION


def corrected_prompt(message_id: str) -> str:
    """Return the id of the prompt whose answer a prompt corrects; its own id if it corrects none."""
    return message_id.removesuffix(CORRECTION)
