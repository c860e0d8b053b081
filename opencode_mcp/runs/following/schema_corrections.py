"""Answers by a schema that was part of the prompt: checked when the run ends, and corrected once if they are wrong.

It is used where OpenCode has no structured output; see ``output_schema/schema_in_prompt.py``. The correction is a
second prompt in the same session, and part of the same run: a follower of the run follows its correction once that was
sent. Therefore a run can be found and reported by the id of its first prompt alone, by every bridge.

It is sent by the bridge that sees the wrong answer, while the session has not gone on to another prompt. If nobody
looks at the run, nobody needs it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from opencode_mcp.errors import NotFound
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.runs.following.observation import CheckedAnswer, Observation, ObservePrompt
from opencode_mcp.runs.limits import Limits, Used, left
from opencode_mcp.runs.outcome.answer_summary import summarise
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.output_schema.checker_process import mismatch_apart
from opencode_mcp.runs.output_schema.schema_in_prompt import correction_id, correction_text, parse_answer, schema_of
from opencode_mcp.runs.run_record import Run, all_answers
from opencode_mcp.text.outside_text import clean, shorten

FIRST_ANSWER_CHARACTERS = 1000
"""Longest first answer that the report of a second wrong one repeats, in characters."""
NOT_CORRECTED = "No correction was asked for, since the run has used up one of its limits."
SendPrompt = Callable[[Run, str], Awaitable[Run | None]]
"""Sends the prompt that asks for a correction of a run's answer; returns its run, ``None`` if it was not sent."""


async def observe_corrected(
    client: OpenCodeClient, run: Run, schema: Mapping[str, Any], observe_prompt: ObservePrompt, send: SendPrompt | None
) -> Observation:
    """Follow a run and the correction of its answer.

    Args:
        client: Reads what was sent.
        run: The run.
        schema: The schema of its answer.
        observe_prompt: Follows each of the two.
        send: Asks for the correction; ``None``: leave a wrong answer as it is.

    Raises:
        BackendError: OpenCode could not be read.
    """
    correction = await find_correction(client, run)
    if correction is None:
        seen = await observe_prompt(run)
        await _check(seen, schema)
        problem = _problem_to_correct(run, seen)
        if send is None or not problem:
            return seen
        correction = await send(run, correction_text(problem))
        if correction is None:
            return seen
    seen = await observe_prompt(correction)
    seen.correction = correction
    await _check(seen, schema)
    if seen.checked and seen.checked.problem:
        first = await _first_answer(client, run, schema)
        seen.checked = replace(seen.checked, problem=f"{seen.checked.problem} {first}".rstrip())
    return seen


def _problem_to_correct(run: Run, seen: Observation) -> str:
    """Return the problem of an answer; empty if there is none, or if a limit forbids a correction, which is noted."""
    if seen.checked is None or not seen.checked.problem:
        return ""
    if not _is_used_up(run.limits, seen.answers):
        return seen.checked.problem
    seen.checked = replace(seen.checked, problem=f"{seen.checked.problem} {NOT_CORRECTED}")
    return ""


def _is_used_up(limits: Limits, answers: Sequence[Message]) -> bool:
    """Return True if the steps of a run have used up its limit of steps or cost; its subagents are not counted."""
    steps = [message.info for message in answers if message.info.role == "assistant"]
    return left(limits, Used(sum(step.cost for step in steps), len(steps))) is None


async def _first_answer(client: OpenCodeClient, run: Run, schema: Mapping[str, Any]) -> str:
    """Return a sentence with the answer that was to be corrected, and its problem; empty if there is none."""
    text = summarise(await all_answers(client, run)).text
    if not text:
        return ""
    checked = await _checked(text, schema)
    shown = shorten(clean(text), FIRST_ANSWER_CHARACTERS)
    return f"The first answer did not fit either: {checked.problem} It was: {shown}"


async def find_correction(client: OpenCodeClient, run: Run) -> Run | None:
    """Return the run of the correction, if it was sent (``session.message``).

    Raises:
        BackendError: OpenCode could not be read.
    """
    correction = replace(run, message_id=correction_id(run.message_id))
    if await _read_prompt(client, correction):
        return correction
    return correction if correction.message_id in await client.pending_prompts(run.session_id) else None


async def read_schema(client: OpenCodeClient, run: Run) -> Mapping[str, Any] | None:
    """Return the schema that was part of a run's prompt; ``None`` if it has none, or was not begun yet.

    Raises:
        BackendError: OpenCode could not be read.
    """
    prompt = await _read_prompt(client, run)
    return schema_of(prompt) if prompt else None


async def _read_prompt(client: OpenCodeClient, run: Run) -> Message | None:
    try:
        return await client.session_message(run.session_id, run.message_id)
    except NotFound:
        return None


async def _check(seen: Observation, schema: Mapping[str, Any]) -> None:
    """Check the answer of a completed run."""
    if seen.state is not State.COMPLETED:
        return
    text = summarise(seen.answers).text
    seen.checked = await _checked(text, schema)


async def _checked(text: str, schema: Mapping[str, Any]) -> CheckedAnswer:
    if not text:
        return CheckedAnswer(problem="The model gave no answer.")
    answer = parse_answer(text)
    problem = answer.problem or await mismatch_apart(schema, answer.value)
    return CheckedAnswer(answer.value, problem, is_whole_text=answer.is_whole_text)
