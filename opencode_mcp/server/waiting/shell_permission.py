"""Permission for shell lines that OpenCode runs without asking, by the operator's policy or by the person.

The bridge asks in both eras of MCP as for a run (``wait.py``).
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from pydantic import ValidationError

from opencode_mcp.errors import InvalidArgument, NotAllowed
from opencode_mcp.server.access.execution.shell_lines import permitted_decider, visible
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.waiting.call_context import person_asked
from opencode_mcp.server.waiting.elicitation import CHOICES, DECISION, REPLIES, SHOWN_CHARACTERS, can_ask
from opencode_mcp.server.waiting.progress_notifications import progress_sender
from opencode_mcp.server.waiting.wait import FORM_HEARTBEAT_SECONDS, FORM_SECONDS, request_state_of

if TYPE_CHECKING:
    from opencode_mcp.options import Decider
    from opencode_mcp.runs.following.wait_callbacks import SendProgress

FORM_KEY = "shell"
OFFERED = ("once", "reject")


async def permit_shell(
    ctx: BridgeContext, lines: Sequence[str], directory: str, session_id: str = "", caller_limit: "Decider" = "allow"
) -> InputRequiredResult | None:
    """Check the permission for shell lines, by policy or by the person.

    Args:
        ctx: The call that wants to run them.
        lines: The lines, as the shell gets them.
        directory: Directory in which they run.
        session_id: Session in which they run; empty: a new one.
        caller_limit: The caller's own limit.

    Returns:
        The result to return if the client must show a form and repeat the call; ``None``: the lines may run.

    Raises:
        NotAllowed: The policy or the person refuses it, or the person gave no answer.
        InvalidArgument: A line is too long to be shown to a person.
    """
    decider = permitted_decider(bridge_of(ctx).policy, lines, caller_limit)
    if decider != "human" or not can_ask(ctx.client_capabilities):
        # The lines may run: the policy allows them, or leaves them to the agent, as where the host can ask nobody.
        return None
    form = _form(lines, directory)
    if not ctx.session.can_send_request:
        return _by_return(ctx, json.dumps([session_id or directory, *lines]), form)
    with person_asked(ctx):
        filled = await _ask(ctx, form)
    _check_answer(filled)
    return None


def _by_return(ctx: BridgeContext, purpose: str, form: ElicitRequestFormParams) -> InputRequiredResult | None:
    """Ask in the 2026 era: the call returns the form, and the client repeats it with the answer.

    The state is encrypted, and holds a ticket for exactly these lines in this session. A state that is used again, or
    comes from another bridge, permits nothing: the person is asked again.
    """
    tickets = bridge_of(ctx).tickets
    if not tickets.redeem(request_state_of(ctx).get(FORM_KEY), purpose):
        issued = json.dumps({FORM_KEY: tickets.issue(purpose)})
        return InputRequiredResult(input_requests={FORM_KEY: ElicitRequest(params=form)}, request_state=issued)
    filled = (ctx.input_responses or {}).get(FORM_KEY)
    _check_answer(filled if isinstance(filled, ElicitResult) else None)
    return None


async def _ask(ctx: BridgeContext, form: ElicitRequestFormParams) -> ElicitResult | None:
    """Ask in the 2025 era: show a form while the call waits; ``None``: the host showed none, or nobody answered."""
    filled: ElicitResult | None = None
    with anyio.move_on_after(FORM_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_send_progress_regularly, progress_sender(ctx))
            try:
                filled = await ctx.session.elicit_form(form.message, form.requested_schema, ctx.request_id)
            except (MCPError, ValidationError):
                filled = None
            tasks.cancel_scope.cancel()
    return filled


async def _send_progress_regularly(send_progress: "SendProgress") -> None:
    while True:
        await anyio.sleep(FORM_HEARTBEAT_SECONDS)
        await send_progress("waiting for the person's answer")


def _check_answer(filled: ElicitResult | None) -> None:
    decision = (filled.content or {}).get(DECISION) if filled and filled.action == "accept" else None
    reply = CHOICES.get(str(decision).strip().casefold())
    if reply == "once":
        return
    refusal = "refused the shell line" if reply == "reject" else "was asked about the shell line and gave no answer"
    raise NotAllowed(
        f"The person {refusal}, so it did not run.", hint="Continue without it, or ask the person what to do."
    )


def _form(lines: Sequence[str], directory: str) -> ElicitRequestFormParams:
    shown = "\n".join(map(visible, lines))
    if len(shown) > SHOWN_CHARACTERS:
        raise InvalidArgument(
            f"A person must allow the shell line, and its {len(shown):,} characters are too many to read.",
            hint="Put it into a script of the project and run that; "
            f"at most {SHOWN_CHARACTERS:,} characters are shown.",
        )
    message = f"Run this shell line in {visible(directory)}? OpenCode's own rules do not apply to it.\n\n{shown}"
    labels = [REPLIES[reply] for reply in OFFERED]
    decision = {"type": "string", "title": "Answer", "enum": list(OFFERED), "enumNames": labels}
    schema: dict[str, object] = {"type": "object", "properties": {DECISION: decision}, "required": [DECISION]}
    return ElicitRequestFormParams(message=message, requested_schema=schema)
