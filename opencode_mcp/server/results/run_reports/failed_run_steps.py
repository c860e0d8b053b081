"""Next step after a run that failed: what would work instead."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.runs.outcome.run_report import RunReport

MODELS_SHOWN = 5


REFUSED = "The same request will be refused again. Change what the error names, with"
BAD_ANSWER = "Ask for the answer again, and say what was wrong with it, or give a simpler schema, with"


def failure_step(report: "RunReport") -> str:
    """Return the next step after a failed run, by the kind of its failure."""
    session = f'session_id="{report.session_id}"'
    call = f"opencode_run({session}, prompt=...)"
    match report.failure:
        case "credentials":
            step = _credentials_step(report)
        case "context":
            return (
                "The conversation is too long for the model. Start a new session with opencode_run(prompt=...), "
                "and say there all that it needs to know."
            )
        case "length":
            step = f"Ask again, and for less at once, with {call}."
        case "answer":
            step = f"{BAD_ANSWER} opencode_run({session}, output_schema=..., prompt=...)."
        case "request":
            step = f"{REFUSED} {call}."
        case "model":
            step = f"The same may work later: {call}."
        case None:
            return f"Fix what the error names, then go on in the session with {call}."
    return f"{step} {_other_model(report)}".strip()


def _credentials_step(report: "RunReport") -> str:
    provider = report.model.partition("/")[0]
    of_provider = f" of {provider}" if provider else ""
    return (
        f"The key{of_provider} is missing or refused: whoever runs OpenCode stores one with the command "
        "`opencode auth login`."
    )


def _other_model(report: "RunReport") -> str:
    """Return the sentences that name other models; empty if none is known."""
    if not report.usable_models:
        return ""
    first, *more = report.usable_models
    call = f'opencode_run(session_id="{report.session_id}", model="{first}", prompt=...)'
    others = f" Others: {', '.join(more[: MODELS_SHOWN - 1])}." if more else ""
    return f"Another model that can be used: {call}.{others}"
