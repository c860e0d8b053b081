"""Steps by which open requests of a run are answered, or the sentence that says who may answer them."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from opencode_mcp.server.results.render import without_tools

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import (
        PendingRequest,
    )

WITHOUT_FORMS = "This host shows no forms, so the decision that you left to a person comes back to you."
WITHOUT_FORMS_BY_SETTINGS = (
    "This host shows no forms, so what the settings leave to a person (`human`) comes to you: answer"
)


def answer_steps(pending: "Sequence[PendingRequest]", unlisted_tools: Collection[str] = ()) -> str:
    """Return how to answer some requests, without sentences that name tools which are not listed."""
    return without_tools(" ".join(map(answer_step, pending)), unlisted_tools)


def answer_step(request: "PendingRequest") -> str:
    """Return how to answer a request, or who else may."""
    call = f'request_id="{request.request_id}", session_id="{request.session_id}"'
    if not request.agent_may_answer:
        return f"Only a person may answer {request.request_id}{_where(request)}{_otherwise(request, call)}."
    if request.kind == "permission":
        always = '|"always"' if request.agent_may_always else ""
        answer = f'opencode_reply_permission({call}, reply="once"{always}|"reject")'
        return f'{_who_answers(request)} with {answer}. With "reject", message="..." tells OpenCode the reason.'
    answers = "[[value], ...]" if any("type" in item for item in request.questions) else "[[label, ...], ...]"
    return f"Answer with opencode_reply_question({call}, answers={answers})."


def _who_answers(request: "PendingRequest") -> str:
    """Return the beginning of the sentence on an answer that the calling agent may give."""
    if request.asks_for_person:
        return f"{WITHOUT_FORMS} Ask the person, then answer"
    return WITHOUT_FORMS_BY_SETTINGS if request.left_to_person else "Answer"


def _where(request: "PendingRequest") -> str:
    return ": opencode_wait asks" if request.person_here else ", where the run was started or in OpenCode itself"


def _otherwise(request: "PendingRequest", call: str) -> str:
    """Return the calls that end the wait if no person is there to answer."""
    if request.closed:
        return f". {request.closed}"
    refusal = (
        'opencode_reply_permission({}, reply="reject")'
        if request.kind == "permission"
        else ("opencode_reply_question({}, reject=true)")
    )
    return (
        f'. If nobody is there: {refusal.format(call)} refuses it. opencode_abort(session_id="{request.session_id}") '
        "stops the run. Whoever configured this MCP server lets agents answer in later runs with --permissions agent"
    )
