"""View of one session for a model: its state, its last run, its open requests, and a page of its transcript."""

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from opencode_mcp.errors import BackendError
from opencode_mcp.markdown.detail_level import PermissionAnswer, RequestFacts
from opencode_mcp.markdown.transcript_page import TranscriptPage, read_transcript
from opencode_mcp.opencode.http_client.read_group import at_once
from opencode_mcp.opencode.vocabulary.default_titles import without_repetition
from opencode_mcp.runs.following.present_activity import present_activity
from opencode_mcp.runs.outcome.run_report import PendingRequest, list_todos
from opencode_mcp.runs.reports.waited_time import waited_seconds
from opencode_mcp.runs.run_record import Run, all_answers, answers_in
from opencode_mcp.runs.session_history import given_answers
from opencode_mcp.runs.session_history.subagents import Subagents, read_subagents_of
from opencode_mcp.server.results.amounts import tokens_text
from opencode_mcp.server.results.render import TEXT_CHARACTERS
from opencode_mcp.server.results.run_reports.report_text import SUBAGENTS_UNKNOWN
from opencode_mcp.server.results.run_reports.request_text import request_data, request_text
from opencode_mcp.server.results.run_reports.run_answer import shown_end, unfinished_answer
from opencode_mcp.server.results.safe_text import shown_sections
from opencode_mcp.server.sessions.session_facts import (
    IDLE,
    PresentState,
    SessionFacts,
    cost_data,
    cost_text,
    facts_of,
    is_changed_since,
    read_end,
)
from opencode_mcp.server.sessions.titles import UNTITLED, shown_title, title_of
from opencode_mcp.server.sessions.undone import undone_text
from opencode_mcp.text.durations import time_spent
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.text.utc_time import utc_text

if TYPE_CHECKING:
    from opencode_mcp.markdown.show_choices import ShownParts
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus
    from opencode_mcp.runs.session_history.last_run import LastRun
    from opencode_mcp.runs.session_history.spending import Spending
    from opencode_mcp.server.bridge import Bridge

logger = logging.getLogger(__name__)

WITHOUT_DURATION = frozenset({"undone", "unanswered"})
"""Outcomes of runs whose duration says nothing."""


@dataclass(frozen=True, slots=True)
class SessionDetails:
    """State of a session. The lists are empty on all pages but the first."""

    session: "Session"
    present: PresentState = IDLE
    facts: SessionFacts | None = None
    """Last run and cost; ``None`` on later pages."""
    todos: list[str] = field(default_factory=list[str])
    children: "list[Session]" = field(default_factory=list["Session"])
    pending: list[PendingRequest] = field(default_factory=list[PendingRequest])
    transcript: str = ""
    cursor: str = ""
    answers: str = ""
    """Calls that answer the open requests, if they are known."""
    activity: str = ""
    """Present activity of the last run; empty if it does nothing."""
    draft: str = ""
    """Text that the model is writing, as far as it is known."""
    waited: float = 0
    """Seconds that the last run waited for answers."""
    now: float = 0
    """Time of the view, in milliseconds since the epoch."""

    @property
    def run_facts(self) -> SessionFacts | None:
        """Return the facts if they show a last run."""
        has_run = self.facts and self.facts.outcome not in {"none", "unknown"}
        return self.facts if has_run else None

    @property
    def is_idle(self) -> bool:
        """Return True if nothing works in the session; a plugin or a client may still have asked something there."""
        return not self.present.is_running


async def view_session(
    bridge: "Bridge", session: "Session", *, limit: int, cursor: str, show: "ShownParts"
) -> SessionDetails:
    """Read a session.

    Args:
        bridge: Reaches OpenCode.
        session: The session, already checked.
        limit: Largest number of messages of the transcript; 0: none.
        cursor: Cursor of the page before; empty: the latest messages.
        show: Parts of the transcript to show, and whether texts are cut short.
    """
    client, first = bridge.client, not cursor
    async with at_once() as reads:
        busy = reads.start(client.session_status, session.directory)
        end = reads.start(_end, bridge, session, wanted=first)
        todos = reads.start(_todos, client, session, wanted=first)
        subagents = reads.start(_subagents, client, session, wanted=first)
        page = reads.start(_page, bridge, session, limit=limit, cursor=cursor, show=show)
    state = busy.value.get(session.id)
    asked = await _asked(bridge, session, is_running=state is not None, is_first=first)
    pending = asked if first else []
    present = PresentState(is_running=state is not None, asks=_is_waiting(asked, is_running=state is not None))
    activity, draft = await _present_work(bridge, session, end.value[0] if end.value else None, state, present)
    facts = facts_of(bridge, session, end.value, subagents.value, present) if end.value else None
    waited = await _waited(bridge, session, facts.last, pending if state else []) if facts else 0
    return SessionDetails(
        session=session,
        present=present,
        facts=facts,
        todos=todos.value,
        children=subagents.value.started_by(session.id),
        pending=pending,
        transcript=page.value.text,
        cursor=page.value.cursor,
        activity=activity,
        draft=draft,
        waited=waited,
        now=client.clock.now() * 1000,
    )


async def _asked(bridge: "Bridge", session: "Session", *, is_running: bool, is_first: bool) -> list[PendingRequest]:
    """Return the open requests; those of an idle session are read for its first page, if it can have some."""
    if not is_running and (not is_first or bridge.fence.is_removed(session.directory)):
        return []
    if not is_running and not (await bridge.client.features()).idle_questions:
        return []
    return await bridge.requests.open(session.directory, session.id)


def _is_waiting(asked: list[PendingRequest], *, is_running: bool) -> bool:
    """Return True if a session waits for an answer; one that works does not wait for the forms of clients."""
    return any(not (is_running and request.is_of_session) for request in asked)


async def _end(bridge: "Bridge", session: "Session", *, wanted: bool) -> "tuple[LastRun, Spending] | None":
    return await read_end(bridge, session) if wanted else None


async def _present_work(
    bridge: "Bridge", session: "Session", last: "LastRun | None", state: "SessionStatus | None", present: PresentState
) -> tuple[str, str]:
    """Return the present activity of the last run, and the text that its model is writing."""
    activity, draft = "", ""
    if last and present.activity == "running":
        activity = await _activity(bridge, session, last, state)
        draft = _draft(bridge, session, last)
    if verification := bridge.runs.verifications.running_in(session.id):
        activity = verification.activity
    return activity, draft


async def _activity(bridge: "Bridge", session: "Session", last: "LastRun", state: "SessionStatus | None") -> str:
    """Return what the last run of a busy session does, by the events or the messages that were read."""
    if not last.prompt_id:
        return ""
    run = Run(session.directory, session.id, last.prompt_id)
    answers = answers_in(last.latest, last.prompt_id)
    return await present_activity(bridge.client, bridge.hub, run, state, answers)


def _draft(bridge: "Bridge", session: "Session", last: "LastRun") -> str:
    """Return the text that the model is writing, if the event stream has shown it; the prompt's own text is none."""
    draft = bridge.hub.state(session.id).draft
    return draft.text if draft and draft.message_id != last.prompt_id else ""


async def _waited(bridge: "Bridge", session: "Session", last: "LastRun", pending: list[PendingRequest]) -> float:
    """Return the seconds that the last run waited for answers; earlier messages are read only if they may tell more."""
    hub, now = bridge.hub, bridge.client.clock.now() * 1000
    is_known = hub.answer_waits.is_whole(last.prompt_id) or not last.prompt_id
    answers = [] if is_known else answers_in(last.latest, last.prompt_id)
    if not is_known and last.has_more:
        answers = await all_answers(bridge.client, Run(session.directory, session.id, last.prompt_id))
    given = given_answers.answers_in(session)
    open_ids = [request.request_id for request in pending if not request.of_client]
    return waited_seconds(hub, last.prompt_id, answers, given, open_ids, now)


async def _todos(client: "OpenCodeClient", session: "Session", *, wanted: bool) -> list[str]:
    return list_todos(await client.session_todo(session.id)) if wanted else []


async def _subagents(client: "OpenCodeClient", session: "Session", *, wanted: bool) -> Subagents:
    if not wanted:
        return Subagents()
    try:
        return await read_subagents_of(client, session)
    except BackendError as error:
        logger.warning("the subagents of %s could not be read: %s", session.id, error)
        return Subagents(is_whole=False)


def _permissions(session: "Session") -> dict[str, PermissionAnswer]:
    """Return the answers to the permissions of a session by the id of the call that asked."""
    given = given_answers.answers_in(session)
    return {one.call_id: PermissionAnswer(one.text, one.reason) for one in given if one.call_id}


async def _page(bridge: "Bridge", session: "Session", *, limit: int, cursor: str, show: "ShownParts") -> TranscriptPage:
    """Read a page of the transcript; an empty one if no messages are wanted."""
    if not limit:
        return TranscriptPage("", "")
    return await read_transcript(
        bridge.client,
        session,
        limit=limit,
        cursor=cursor,
        show=show,
        characters=TEXT_CHARACTERS,
        first_words_of=partial(bridge.runs.notes.first_words_of, session),
        requests=RequestFacts(_permissions(session), questions_above=not cursor),
    )


def view_data(view: SessionDetails) -> dict[str, Any]:
    """Return the view as structured content. Empty fields are left out, except those that callers rely on."""
    session = view.session
    data: dict[str, Any] = {
        "session_id": session.id,
        "status": view.present.status,
        "title": title_of(session),
        "directory": session.directory,
        "changed": utc_text(session.changed),
        "parent": session.parent_id,
        "forked_from": session.forked_from,
        **(_facts_data(view.facts, view.now, view.waited) if view.facts else {}),
        "activity": one_line(view.activity),
        "answer_so_far": shown_end(view.draft)[0],
        "archived": session.time.archived is not None,
        "undone_from": session.revert.message_id if session.revert else "",
        "todos": view.todos,
        "children": [{"session_id": child.id, "title": title_of(child)} for child in view.children],
        "pending": [request_data(request) for request in view.pending],
        "next": _next(view),
    }
    kept = {key: value for key, value in data.items() if value or key in {"cost_complete", "children_complete"}}
    return kept | {"transcript": view.transcript, "cursor": view.cursor}


def _facts_data(facts: SessionFacts, now: float, waited: float) -> dict[str, Any]:
    last = facts.last
    run = {
        "outcome": facts.outcome,
        "reason": _reason(facts),
        "seconds": _seconds(facts, now),
        "waited": waited,
        "prompt": last.prompt,
        "message_id": last.prompt_id,
    }
    return {
        "last_run": {name: value for name, value in run.items() if value},
        **({} if facts.are_subagents_known else {"children_complete": False}),
        **cost_data(facts),
        "tokens": {"input": int(facts.spent.input), "output": int(facts.spent.output)},
    }


def _reason(facts: SessionFacts) -> str:
    """Return why limits stopped the last run; empty if they did not, or if the session works again."""
    return facts.stop_reason if facts.outcome == "aborted" else ""


def _seconds(facts: SessionFacts, now: float) -> float:
    """Return the duration of the last run; its age if it goes on."""
    if not facts.activity:
        return round(facts.last.seconds, 3)
    return round(max(now - facts.last.began, 0) / 1000, 3) if facts.last.began else 0


def view_text(view: SessionDetails) -> str:
    """Return the view as text for a model, cleaned for display."""
    sections = [
        _facts(view),
        unfinished_answer(view.draft),
        undone_text(view.session),
        "\n".join(["Todos:", *view.todos]) if view.todos else "",
        _subagents_text(view),
        *map(request_text, view.pending),
        _next(view),
        view.transcript,
        f'Older messages with cursor="{view.cursor}".' if view.cursor else "",
    ]
    return shown_sections(sections)


def _subagents_text(view: SessionDetails) -> str:
    if view.facts and not view.facts.are_subagents_known:
        return f"{SUBAGENTS_UNKNOWN}."
    lines = [f"{child.id} · {shown_title(child)}" for child in view.children]
    return "\n".join(["Subagents:", *lines]) if lines else ""


def _facts(view: SessionDetails) -> str:
    """Return the lines about the session itself, and about its last run."""
    facts = view.run_facts
    title, prompt = without_repetition(title_of(view.session), facts.last.prompt if facts else "")
    line = _session_line(view, title or ("" if prompt else UNTITLED))
    run = _last_run(view, facts, prompt) if facts else ""
    return "\n".join(filter(None, [line, run]))


def _session_line(view: SessionDetails, title: str) -> str:
    session, facts = view.session, view.facts
    line = [
        session.id,
        view.present.status,
        title,
        one_line(session.directory),
        f"changed {utc_text(session.changed)}",
        f"subagent of {session.parent_id}" if session.parent_id else "",
        f"fork of {session.forked_from}" if session.forked_from else "",
        "archived" if session.time.archived is not None else "",
        tokens_text(facts.spent) if facts else "",
        cost_text(facts) if facts else "",
    ]
    return " · ".join(filter(None, line))


def _last_run(view: SessionDetails, facts: SessionFacts, prompt: str) -> str:
    """Return the lines about the last run, which began with some words."""
    seconds = _seconds(facts, view.now)
    link = "for" if facts.activity else "after"
    took = f" {link} {time_spent(seconds, view.waited)}" if seconds and facts.outcome not in WITHOUT_DURATION else ""
    words = f'prompt "{prompt}"' if prompt else ""
    ended = f"ended {utc_text(facts.ended)}" if is_changed_since(view.session, facts) else ""
    line = "Last run: " + " · ".join(filter(None, [f"{facts.outcome}{took}", ended, words]))
    activity = f"Doing: {one_line(view.activity)}" if view.activity else ""
    return "\n".join(filter(None, [line, _reason(facts), activity]))


def _next(view: SessionDetails) -> str:
    if not view.pending:
        return ""
    if view.is_idle:
        return view.answers
    wait = f'opencode_wait(session_id="{view.session.id}")'
    return f"{view.answers} {wait} waits on." if view.answers else f"{wait} asks the person, or says how to answer."
