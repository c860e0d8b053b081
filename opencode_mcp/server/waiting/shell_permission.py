"""Permission for a shell line of a caller, by the operator's policy or by the person.

OpenCode runs such a line without permission, so the bridge asks, in both eras of MCP as for a run (``wait.py``).
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from pydantic import ValidationError

from opencode_mcp.errors import InvalidArgument, NotAllowed
from opencode_mcp.opencode.operations import catalog
from opencode_mcp.server.access.operation_uses import SHELL
from opencode_mcp.server.access.shell_lines import decider_of, visible
from opencode_mcp.server.bridge import BridgeContext, bridge_of
from opencode_mcp.server.waiting.call_context import person_asked
from opencode_mcp.server.waiting.elicitation import CHOICES, DECISION, REPLIES, SHOWN, can_ask
from opencode_mcp.server.waiting.progress_notifications import SendProgress, progress_sender
from opencode_mcp.server.waiting.wait import FORM_HEARTBEAT_SECONDS, FORM_SECONDS, request_state_of

if TYPE_CHECKING:
    from opencode_mcp.opencode.vocabulary.models import Session
    from opencode_mcp.options import Decider

KEY = "shell"
OFFERED = ("once", "reject")


async def permit_shell(
    ctx: BridgeContext, lines: Sequence[str], session: "Session | None", caller_limit: "Decider" = "allow"
) -> InputRequiredResult | None:
    """Check the permission for shell lines, by policy or by the person.

    Args:
        ctx: The call that wants to run them.
        lines: The lines, as the shell gets them.
        session: Session in which they run; ``None``: a new one.
        caller_limit: The caller's own limit.

    Returns:
        The result to return if the client must show a form and repeat the call; ``None``: the lines may run.

    Raises:
        NotAllowed: The operator denies it, the policy or the person refuses it, or the person gave no answer.
        InvalidArgument: A line is too long to be shown to a person.
    """
    bridge = bridge_of(ctx)
    for generation, name in SHELL.items():
        # The server is not known yet where OpenCode was not started, and a person may be asked before it is.
        bridge.allowed.check_denied(catalog.table_of(generation).operation(name))
    decider = decider_of(bridge.policy, lines, caller_limit)
    if decider != "human" or not can_ask(ctx.client_capabilities):
        return None
    form = _form(lines, session.directory if session else "")
    if not ctx.session.can_send_request:
        return _by_return(ctx, json.dumps([session.id if session else "", *lines]), form)
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
    if not tickets.redeem(request_state_of(ctx).get(KEY), purpose):
        issued = json.dumps({KEY: tickets.issue(purpose)})
        return InputRequiredResult(input_requests={KEY: ElicitRequest(params=form)}, request_state=issued)
    filled = (ctx.input_responses or {}).get(KEY)
    _check_answer(filled if isinstance(filled, ElicitResult) else None)
    return None


async def _ask(ctx: BridgeContext, form: ElicitRequestFormParams) -> ElicitResult | None:
    """Ask in the 2025 era: show a form while the call waits; ``None``: the host showed none, or nobody answered."""
    filled: ElicitResult | None = None
    with anyio.move_on_after(FORM_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_beat, progress_sender(ctx))
            try:
                filled = await ctx.session.elicit_form(form.message, form.requested_schema, ctx.request_id)
            except (MCPError, ValidationError):
                filled = None
            tasks.cancel_scope.cancel()
    return filled


async def _beat(send_progress: SendProgress) -> None:
    while True:
        await anyio.sleep(FORM_HEARTBEAT_SECONDS)
        await send_progress("waiting for the person's answer")


def _check_answer(filled: ElicitResult | None) -> None:
    decision = (filled.content or {}).get(DECISION) if filled and filled.action == "accept" else None
    reply = CHOICES.get(str(decision).strip().casefold())
    if reply == "once":
        return
    said = "refused the shell line" if reply == "reject" else "was asked about the shell line and gave no answer"
    raise NotAllowed(f"The person {said}, so it did not run.", hint="Go on without it, or ask the person what to do.")


def _form(lines: Sequence[str], directory: str) -> ElicitRequestFormParams:
    shown = "\n".join(map(visible, lines))
    if len(shown) > SHOWN:
        raise InvalidArgument(
            f"A person has to allow the shell line, and its {len(shown):,} characters are too many to be read.",
            hint="Put it into a script in the project, and run that.",
        )
    where = f" in {visible(directory)}" if directory else ""
    message = f"Run this shell line{where}? OpenCode's own rules do not apply to it.\n\n{shown}"
    labels = [REPLIES[reply] for reply in OFFERED]
    decision = {"type": "string", "title": "Answer", "enum": list(OFFERED), "enumNames": labels}
    schema: dict[str, object] = {"type": "object", "properties": {DECISION: decision}, "required": [DECISION]}
    return ElicitRequestFormParams(message=message, requested_schema=schema)
