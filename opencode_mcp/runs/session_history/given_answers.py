"""Answers that were given to the permissions of a session, in a note in its metadata: OpenCode keeps none of them.

A bridge notes each answer that a person or an agent gave through it, and each that it saw while it followed the run.
So a transcript can show it, and a bridge that did not see it knows the time of waiting and why a run ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.run_note import metadata_of
from opencode_mcp.text.json_types import JsonMap
from opencode_mcp.text.json_values import as_list, as_map, as_maps, as_number, as_text

ANSWERS_KEY = "opencode-mcp-answers"
"""Key of the note in a session's metadata."""
ANSWERS_KEPT = 50
"""Answers that a session keeps, the latest."""
REASON_CHARACTERS = 300
"""Longest reason that is kept."""
PATTERNS_KEPT = 3
PATTERN_CHARACTERS = 200
"""Longest pattern that is kept."""
ANSWERED_BY: Mapping[str, str] = {
    "person": "by a person",
    "agent": "by the agent that calls this MCP server",
    "": "in another program",
}
"""Text for each kind of answerer."""
REPLIES: Mapping[str, str] = {
    "once": "allowed once",
    "always": "allowed always",
    "reject": "refused",
}
"""Answers, in words."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """Answer to a permission."""

    request_id: str
    call_id: str
    """The tool call that asked; empty if that is not known."""
    prompt_id: str
    """Prompt of the run in which it was asked."""
    reply: str
    """``once``, ``always`` or ``reject``; empty if only the end of the wait was seen."""
    by: str
    """``person`` or ``agent``; empty if it was given elsewhere."""
    asked: float
    """Time of the request, in milliseconds since the epoch."""
    answered: float
    """Time of the answer, in milliseconds since the epoch."""
    reason: str = ""
    """Reason of a refusal, as the model received it, or its beginning; OpenCode 2 does not show it of every tool."""
    permission: str = ""
    """Name of the permission; only of a refusal that a bridge sent."""
    patterns: tuple[str, ...] = ()
    """First patterns of the permission, shortened; only of a refusal that a bridge sent."""
    ends_run: bool = False
    """True if the run ended with the refusal."""

    @property
    def text(self) -> str:
        """Return what was answered, by whom, and after which time unless that is below a second or not known."""
        seconds = max(self.answered - self.asked, 0) / 1000
        after = f" after {seconds:.0f} s" if seconds >= 1 else ""
        return f"{REPLIES.get(self.reply, 'answered')} {ANSWERED_BY.get(self.by, ANSWERED_BY[''])}{after}"


def answers_in(session: Session) -> list[GivenAnswer]:
    """Return the answers that a session has on record; not those of the session that a fork copied."""
    note = as_map(metadata_of(session).get(ANSWERS_KEY))
    return [_read(item) for item in as_maps(note.get("answers"))] if note.get("session") == session.id else []


def metadata_with(session: Session, answer: GivenAnswer) -> dict[str, object]:
    """Return the metadata of a session with one more answer; it replaces another one to the same request."""
    others = [known for known in answers_in(session) if known.request_id != answer.request_id]
    kept = [*others, answer][-ANSWERS_KEPT:]
    return {**metadata_of(session), ANSWERS_KEY: {"session": session.id, "answers": [_as_data(one) for one in kept]}}


def _as_data(answer: GivenAnswer) -> JsonMap:
    return {
        "request": answer.request_id,
        "call": answer.call_id,
        "prompt": answer.prompt_id,
        "reply": answer.reply,
        "by": answer.by,
        "asked": answer.asked,
        "answered": answer.answered,
        **({"reason": answer.reason[:REASON_CHARACTERS]} if answer.reason else {}),
        **(_refused_data(answer) if answer.permission else {}),
    }


def _refused_data(answer: GivenAnswer) -> JsonMap:
    return {
        "permission": answer.permission,
        "patterns": [pattern[:PATTERN_CHARACTERS] for pattern in answer.patterns[:PATTERNS_KEPT]],
        "ends_run": answer.ends_run,
    }


def _read(item: JsonMap) -> GivenAnswer:
    return GivenAnswer(
        request_id=as_text(item.get("request")),
        call_id=as_text(item.get("call")),
        prompt_id=as_text(item.get("prompt")),
        reply=as_text(item.get("reply")),
        by=as_text(item.get("by")),
        asked=as_number(item.get("asked")) or 0,
        answered=as_number(item.get("answered")) or 0,
        reason=as_text(item.get("reason")),
        permission=as_text(item.get("permission")),
        patterns=tuple(map(as_text, as_list(item.get("patterns")))),
        ends_run=item.get("ends_run") is True,
    )
