"""Find out who makes a call, and who may answer a run's requests."""

from typing import TYPE_CHECKING

from opencode_mcp.runs.answers import answer_rules as answers_answer_rules
from opencode_mcp.server.waiting.elicitation import can_ask

if TYPE_CHECKING:
    from mcp_types import ClientCapabilities

    from opencode_mcp.runs.answers.answer_rules import Answerer
    from opencode_mcp.runs.outcome.run_report import PendingRequest, RunReport
    from opencode_mcp.runs.run_record import Run, RunStarter
    from opencode_mcp.server.bridge import Bridge, BridgeContext


def starter_of(ctx: "BridgeContext") -> "RunStarter":
    """Return who starts a run by a call: an agent whose host can ask a person counts as a person."""
    return "person" if can_ask(ctx.client_capabilities) else "agent"


def calling_agent(ctx: "BridgeContext") -> "Answerer":
    """Return the calling agent as the one who answers."""
    return answers_answer_rules.Answerer("agent", person_reachable=can_ask(ctx.client_capabilities))


def form_answerer(capabilities: "ClientCapabilities | None") -> "Answerer":
    """Return who answers by a form: a person, if the client has declared that it can show forms."""
    return answers_answer_rules.PERSON if can_ask(capabilities) else answers_answer_rules.Answerer("agent")


def is_for_person(
    bridge: "Bridge", run: "Run", request: "PendingRequest", capabilities: "ClientCapabilities | None"
) -> bool:
    """Return True if a request is shown to the person at a client."""
    return can_ask(capabilities) and bridge.answer_rules.is_for_person(run, request)


def add_answerers(bridge: "Bridge", run: "Run", report: "RunReport", capabilities: "ClientCapabilities | None") -> None:
    """Add to a report who may answer each of its requests, and remember the requests."""
    report.unlisted_tools = bridge.unlisted_tools
    mark_answerers(bridge, run, report.pending, capabilities)


def mark_answerers(
    bridge: "Bridge", run: "Run", pending: "list[PendingRequest]", capabilities: "ClientCapabilities | None"
) -> None:
    """Add to requests of a run who may answer each, and remember them."""
    person_reachable = can_ask(capabilities)
    answer_rules = bridge.answer_rules
    for request in pending:
        request.agent_may_answer = answer_rules.agent_may_answer(run, request, person_reachable=person_reachable)
        request.asks_for_person = request.kind == "permission" and run.caller_limit == "human"
        request.left_to_person = request.kind == "permission" and answer_rules.decider(run, request) == "human"
        request.agent_may_always = answer_rules.agent_may_always(run, request, person_reachable=person_reachable)
        request.person_here = is_for_person(bridge, run, request, capabilities)
        request.closed = answer_rules.closed(request, reject=True)
    bridge.requests.remember(pending)
