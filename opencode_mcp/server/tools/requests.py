"""Answering what OpenCode asks in the middle of a run."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from opencode_mcp.errors import InvalidArgument, NotAllowed, NotFound
from opencode_mcp.server.attend import Outcome, attend, may_answer, resumed_run
from opencode_mcp.server.bridge import Bridge, BridgeContext, bridge_of
from opencode_mcp.server.schemas import RUN_REPORT
from opencode_mcp.server.tool import tool
from opencode_mcp.server.tools.runs import Seconds

if TYPE_CHECKING:
    from opencode_mcp.opencode.models import Session
    from opencode_mcp.runs.record import Run

RequestSession = Annotated[str, Field(description="The session that asks, as in the report's `pending`")]


@tool(
    title="Answer a permission request",
    read_only=False,
    destructive=True,
    idempotent=False,
    open_world=True,
    output_schema=RUN_REPORT,
)
async def opencode_reply_permission(
    ctx: BridgeContext,
    *,
    request_id: Annotated[str, Field(description="As per_...")],
    reply: Annotated[
        Literal["once", "always", "reject"],
        Field(description="always: also for what matches later, in every session of the project"),
    ],
    message: Annotated[str, Field(description="With reject: what to do instead; OpenCode then goes on")] = "",
    session_id: RequestSession = "",
    wait_seconds: Seconds = None,
) -> Outcome:
    """Allow or refuse what OpenCode asks leave for, then wait for the run as opencode_wait does.

    Use it when a report's `pending` names a permission. Ask the person first where the command could do harm. A
    refusal without a message ends the run.
    """
    if run := resumed_run(ctx):
        return await attend(ctx, run, wait_seconds)
    if message and reply != "reject":
        raise InvalidArgument("A message goes only with reject.", hint="Leave it out, or reject.")
    bridge = bridge_of(ctx)
    session = await _asking_session(bridge, request_id, session_id)
    await _check_may_answer(ctx, session, request_id)
    answer = bridge.requests.reply_permission(request_id, session.directory, reply, message)
    return await _answered(ctx, session, answer, wait_seconds)


@tool(
    title="Answer a question",
    read_only=False,
    destructive=False,
    idempotent=False,
    open_world=True,
    output_schema=RUN_REPORT,
)
async def opencode_reply_question(
    ctx: BridgeContext,
    *,
    request_id: Annotated[str, Field(description="As que_...")],
    answers: Annotated[
        list[list[str]], Field(description="For each question, in order, the chosen labels or own words")
    ] = [],
    reject: Annotated[bool, Field(description="Dismiss the question; the run ends")] = False,
    session_id: RequestSession = "",
    wait_seconds: Seconds = None,
) -> Outcome:
    """Answer what OpenCode asks, then wait for the run as opencode_wait does.

    Use it when a report's `pending` names a question. Ask the person unless the answer follows from the task.
    """
    if run := resumed_run(ctx):
        return await attend(ctx, run, wait_seconds)
    if reject == bool(answers):
        raise InvalidArgument("Give either answers or reject.", hint='For instance answers=[["Yes"]].')
    bridge = bridge_of(ctx)
    session = await _asking_session(bridge, request_id, session_id)
    answer = (
        bridge.requests.reject_question(request_id, session.directory)
        if reject
        else bridge.requests.reply_question(request_id, session.directory, answers)
    )
    return await _answered(ctx, session, answer, wait_seconds)


async def _check_may_answer(ctx: BridgeContext, session: "Session", request_id: str) -> None:
    """Refuse an agent what the operator leaves to a person; a request that is not open is told as such later."""
    bridge = bridge_of(ctx)
    run = await _run_of(ctx, session)
    for request in await bridge.requests.open(run.directory, run.session_id):
        if request.request_id == request_id and not may_answer(bridge, run, request, ctx.client_capabilities):
            raise NotAllowed(
                "Only a person may answer this permission.",
                hint="opencode_wait asks the person. The operator can let agents answer with --permissions agent.",
            )


async def _asking_session(bridge: Bridge, request_id: str, session_id: str) -> "Session":
    await bridge.hub.ensure()
    asking = session_id or await bridge.requests.session_of(request_id, await bridge.fence.roots())
    if not asking:
        raise NotFound(
            f"There is no open request {request_id!r}.",
            hint="opencode_wait on its session tells what is asked now; name the session with session_id.",
        )
    return await bridge.fence.session(asking)


async def _answered(
    ctx: BridgeContext, session: "Session", answer: Awaitable[None], wait_seconds: float | None
) -> Outcome:
    """Give the answer, and attend to the run that asked: a subagent's belongs to the session that started it."""
    note = ""
    try:
        await answer
    except NotFound:
        note, wait_seconds = "It is not open any more: it was answered already, or its run has ended.", 0
    return await attend(ctx, await _run_of(ctx, session), wait_seconds, note)


async def _run_of(ctx: BridgeContext, session: "Session") -> "Run":
    bridge = bridge_of(ctx)
    root = await bridge.fence.session((await bridge.requests.lineage(session.id))[-1])
    return await bridge.runs.find(root)
