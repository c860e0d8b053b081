"""Tools that answer OpenCode's requests during a run."""

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from opencode_mcp.errors import BridgeError, InvalidArgument, NotFound
from opencode_mcp.runs.answers import answer_rules
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.results.render import result
from opencode_mcp.server.tools.run_tools import SecondsAsForRun, run_tool
from opencode_mcp.server.waiting.answerers import calling_agent
from opencode_mcp.server.waiting.call_deadlines import start_deadline_of, starting
from opencode_mcp.server.waiting.wait import CallResult, resumed_run, wait_for_run
from opencode_mcp.text.outside_text import beginning

if TYPE_CHECKING:
    from collections.abc import Generator

    from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
    from opencode_mcp.runs.answers.answer_rules import RequestReply
    from opencode_mcp.runs.answers.reply_sender import FoundRequest
    from opencode_mcp.runs.run_record import Run
    from opencode_mcp.runs.starting.start_deadline import StartDeadline

UNKNOWN_HINT = "opencode_wait on its session shows the open requests; name the session with session_id."
GIVEN = "OpenCode has the answer."
NO_RUN = "The session {} has no run to wait for."
CLOSED_WITHOUT_RUN = "It is not open any more."
CLOSED = "It is not open any more: it was answered already, or its run has ended."
REQUEST_ID = re.compile(r"(per|que|frm)_\w{1,100}", re.ASCII)
RequestSession = Annotated[str, Field(description="From `pending`")]


@run_tool(title="Answer a permission request", destructive=True)
async def opencode_reply_permission(
    ctx: BridgeContext,
    *,
    request_id: Annotated[str, Field(description="per_..., from `pending`")],
    reply: Annotated[
        Literal["once", "always", "reject"],
        Field(description="always, if offered: also for what matches later, in every session"),
    ],
    message: Annotated[str, Field(description="With reject: reason, or what to do instead")] = "",
    session_id: RequestSession = "",
    wait_seconds: SecondsAsForRun = None,
) -> CallResult:
    """Allow or refuse what OpenCode asks permission for, then wait as opencode_wait does.

    Use it when `pending` names a permission. Ask the person first where it could do harm. A refusal without a message
    ends the run.
    """
    if run := await resumed_run(ctx):
        return await wait_for_run(ctx, run, wait_seconds)
    if message and reply != "reject":
        raise InvalidArgument("A message can be given only with reject.", hint="Leave it out, or reject.")

    _check_form(request_id, "permission")
    return await _answered(ctx, request_id, session_id, answer_rules.PermissionReply(reply, message), wait_seconds)


@run_tool(title="Answer a question", destructive=False)
async def opencode_reply_question(
    ctx: BridgeContext,
    *,
    request_id: Annotated[str, Field(description="From `pending`")],
    answers: Annotated[
        list[list[str]],
        Field(description="One list per question: labels, own words or a value; [] skips"),
    ] = [],
    reject: Annotated[bool, Field(description="Dismiss it; the run ends")] = False,
    session_id: RequestSession = "",
    wait_seconds: SecondsAsForRun = None,
) -> CallResult:
    """Answer what OpenCode asks, then wait as opencode_wait does.

    Use it when `pending` names a question. Ask the person unless the answer follows from the task.
    """
    if run := await resumed_run(ctx):
        return await wait_for_run(ctx, run, wait_seconds)
    if reject == bool(answers):
        raise InvalidArgument("Give either answers or reject.", hint='For instance answers=[["Yes"]].')

    _check_form(request_id, "question")
    return await _answered(
        ctx, request_id, session_id, answer_rules.QuestionReply(None if reject else answers), wait_seconds
    )


def _check_form(request_id: str, kind: str) -> None:
    """Refuse a text that cannot be the id of a request of a kind: it would be reported as a closed request."""
    found = REQUEST_ID.fullmatch(request_id)
    if not found:
        raise InvalidArgument(
            f"{beginning(request_id)} is not the id of a request.",
            hint='An id begins with per_, que_ or frm_; the report names it: "Waiting for a permission (per_...)".',
        )
    other = "permission" if found[1] == "per" else "question"
    if other != kind:
        raise InvalidArgument(
            f"{request_id} is the id of a {other}, not of a {kind}.", hint=f"Answer it with opencode_reply_{other}."
        )


async def _answered(
    ctx: BridgeContext, request_id: str, session_id: str, reply: "RequestReply", wait_seconds: float | None
) -> CallResult:
    """Send the reply, and wait for the run; a subagent's request belongs to the run of the session that started it."""
    bridge = bridge_of(ctx)
    async with starting(ctx, start_deadline_of(ctx, wait_seconds)) as start_deadline:
        sent = await _sent(ctx, request_id, session_id, reply, start_deadline)
    if not isinstance(sent, tuple):
        return await wait_for_run(ctx, sent, 0, CLOSED) if sent.message_id else _without_run(sent, CLOSED_WITHOUT_RUN)
    asked, note = sent
    with _answer_given(asked.session.id):
        run = await bridge.reply_sender.run_of(asked.session, *asked.parents)
        if not run.message_id:
            return _without_run(run, f"{GIVEN} {note}".strip())
        return await wait_for_run(ctx, run, wait_seconds, note, note_if_running=GIVEN)


def _without_run(run: "Run", note: str) -> CallResult:
    """Return the result for a session that has no run, where a plugin or a client has asked."""
    return result(
        f"{note} {NO_RUN.format(run.session_id)}", {"session_id": run.session_id, "note": note}, is_shown=True
    )


async def _sent(
    ctx: BridgeContext, request_id: str, session_id: str, reply: "RequestReply", start_deadline: "StartDeadline"
) -> "tuple[FoundRequest, str] | Run":
    """Send the reply; return the request and a note on the answer, or the run if the request is not open any more."""
    bridge = bridge_of(ctx)
    await bridge.hub.ensure()
    known = session_id or bridge.requests.session_of(request_id)
    session = await bridge.fence.session(known) if known else None
    try:
        asked = await bridge.reply_sender.find(request_id, session_id, await bridge.fence.roots())
        await start_deadline.commit()
        return asked, await bridge.reply_sender.send(asked, reply, calling_agent(ctx))
    except NotFound as error:
        if session is None:
            raise NotFound(error.message, hint=UNKNOWN_HINT) from error
        return await _run_of(bridge, session)


@contextmanager
def _answer_given(session_id: str) -> "Generator[None]":
    """Say in an error of the block that OpenCode has the answer already."""
    try:
        yield
    except BridgeError as error:
        error.message = f"{GIVEN} The run could not be followed since: {error.message}"
        error.hint = f'Do not answer again: opencode_wait(session_id="{session_id}") reports the run.'
        raise


async def _run_of(bridge: Bridge, session: "Session") -> "Run":
    line = (await bridge.requests.lineage(session.id))[1:]
    return await bridge.reply_sender.run_of(session, *[await bridge.fence.session(name) for name in line])
