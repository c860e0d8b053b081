"""Answer of a run: the part of it that a result has room for, and how its rest is read."""

from typing import TYPE_CHECKING

from opencode_mcp.markdown import excerpt
from opencode_mcp.server.results.render import beginning_of, cut, part_note, without_tools
from opencode_mcp.text.outside_text import clean

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import (
        RunReport,
    )

UNFINISHED_STATUSES = frozenset({"running", "needs_input"})
"""Statuses of runs that go on."""
UNFINISHED_CHARACTERS = 2000
"""Characters of an unfinished answer, whose end says most."""
ANSWER_HEADINGS = {
    "completed": "OpenCode's answer",
    "running": "Answer so far",
    "needs_input": "Answer so far",
    "aborted": "Last text before it was stopped",
    "failed": "Last text",
}


def answer_data(report: "RunReport") -> str:
    """Return the answer for structured content, with a note if it is not all of it."""
    if report.status not in UNFINISHED_STATUSES:
        return cut(report.text, rest=_rest_of_answer(report))
    answer, part = _shown_answer(report)
    return f"… ({part})\n{answer}" if part else answer


def answer_section(report: "RunReport") -> str:
    """Return the answer in a fence, so that no line of it can look like a line of the report."""
    if not report.text:
        return ""
    answer, part = _shown_answer(report)
    notes = "; ".join(filter(None, ["unfinished" if report.status in UNFINISHED_STATUSES else "", part]))
    heading = ANSWER_HEADINGS[report.status] + (f" ({notes})" if notes else "")
    return f"{heading}:\n{excerpt.fence(clean(answer))}"


def unfinished_answer(text: str) -> str:
    """Return the section with the end of an answer that is being written; empty if there is no text yet."""
    if not text:
        return ""
    end, part = shown_end(text)
    notes = "; ".join(filter(None, ["unfinished", part]))
    return f"{ANSWER_HEADINGS['running']} ({notes}):\n{excerpt.fence(clean(end))}"


def shown_end(text: str) -> tuple[str, str]:
    """Return the end of an unfinished answer, and a note on which part that is; empty if it is all of it."""
    end = excerpt.tail(text, UNFINISHED_CHARACTERS)
    return end, f"the last {len(end)} of {len(text)} characters" if end != text else ""


def _shown_answer(report: "RunReport") -> tuple[str, str]:
    """Return the part of the answer that is shown, and a note on which part that is; empty if it is all of it."""
    if report.status in UNFINISHED_STATUSES:
        return shown_end(report.text)
    answer = beginning_of(report.text)
    return answer, part_note(answer, report.text, _rest_of_answer(report)) if answer != report.text else ""


def _rest_of_answer(report: "RunReport") -> str:
    """Return how to read an answer that is cut, unless the tool for that is not listed."""
    if not report.message_reader or not report.text_message:
        return ""
    call = (
        f'opencode_read_operation(operation="{report.message_reader}", '
        f'arguments={{"sessionID": "{report.session_id}", "messageID": "{report.text_message}"}}) reads on'
    )
    return without_tools(call, report.unlisted_tools)
