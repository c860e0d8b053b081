"""Turn results and errors into text that a model can act on. Every result and error passes this module.

The rules: one fact per line, no empty facts, OpenCode's own text under a heading that names its source, and at the end
the next step of the caller. Text of a model or a file is data: it must not look like instructions to the host.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from mcp_types import CallToolResult, ContentBlock, TextContent

from opencode_mcp.errors import (
    BackendError,
    BackendFailed,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    CallerError,
    GitFailed,
    InvalidArgument,
    NotAllowed,
    NotFound,
    OperatorError,
    SessionBusy,
    UnsupportedOperation,
)
from opencode_mcp.markdown import excerpt
from opencode_mcp.opencode.vocabulary.default_titles import made_title, without_repetition
from opencode_mcp.runs.outcome import shortfall_sentences
from opencode_mcp.runs.requests import always_text
from opencode_mcp.server.instructions import TOOL_NAME
from opencode_mcp.server.results.failed_run_steps import failure_step
from opencode_mcp.server.results.host_settings import UNKNOWN_OWNER, SettingsOwner
from opencode_mcp.server.results.refusal_text import steps_after_refusal
from opencode_mcp.server.results.safe_text import ToDecide, shown, shown_data, shown_sections, valid_data
from opencode_mcp.server.results.size_limit import cut_text, fit
from opencode_mcp.text.json_text import json_size
from opencode_mcp.text.outside_text import INDENT, clean, indented, name_in_line, one_line, valid_unicode
from opencode_mcp.text.quantities import money, quantity
from opencode_mcp.workspace.configuration.protected_files import decides_what_runs

if TYPE_CHECKING:
    from opencode_mcp.diffs.authorship import ChangeAuthor
    from opencode_mcp.runs.outcome.run_report import (
        ChangedFile,
        Decision,
        PendingRequest,
        RunReport,
        VerificationReport,
    )

SENTENCE_END = re.compile(r"(?<=\.) ")
TEXT_LIMIT = 20_000
"""Limit of a text in a result, in characters."""
BYTES_LIMIT = 25_000
"""Limit of the same text as JSON, in bytes: less than half of a result."""
ALWAYS_LIMIT = 1000
BRIEF = 200
"""Characters of a text that the same data also contains in full."""
SHOWN_FILES = 50
MINUTE = 60
SUBAGENTS_UNKNOWN = "OpenCode could not list its subagents"
UNFINISHED = frozenset({"running", "needs_input"})
"""Statuses of runs that go on."""
UNFINISHED_LIMIT = 2000
"""Characters of an unfinished answer, whose end says most."""
ANSWER_HEADINGS = {
    "completed": "OpenCode's answer",
    "running": "Answer so far",
    "needs_input": "Answer so far",
    "aborted": "Last text before it was stopped",
    "failed": "Last text",
}
FORMLESS = "This host shows no forms, so the decision that you left to a person comes back to you."
FORMLESS_BY_SETTINGS = "This host shows no forms, so what the settings leave to a person (`human`) comes to you: answer"
CHANGED = "Changed files:"
FILE_HEADINGS: "Mapping[ChangeAuthor, str]" = {
    "this": CHANGED,
    "shared": CHANGED,
    "other": "Changed by other sessions in the same directory, not by this run:",
    "unknown": "Changed meanwhile; it is not known by whom:",
}
"""Headings of the lists of changed files in their order, by whose change it is."""
BY_CALLS = "Changed by its tool calls; OpenCode records no changes of these files, and cannot undo them:"
"""Heading of the files that OpenCode does not record: without git, without snapshots, or since git ignores them."""
OTHERS_DID = {"this": "also", "shared": "also changed by", "other": "by", "unknown": "this run or"}
"""Words in front of the other sessions, by whose change it is."""
NO_DIFF = "(no diff: not ready, or changed back)"
OWN_CHANGES = frozenset({"this", "shared"})
"""Authors of the changes that a run made itself."""
LOST_PLACE = (
    'opencode_session(session_id="{session}") shows the conversation. opencode_run(prompt=...) begins a new session.'
)
GO_ON = "Go on"
OUTSIDE = "(outside the project: no diff, and an undo leaves it as it is)"
NOTHING_STARTED = "Nothing was started."
"""Sentence of every error of a call that was to start work, so that nobody looks for a run."""
ERROR_LIMIT = 4000
"""Limit of an error, in bytes. It may quote a page that a model's provider sent."""

NEXT_STEPS: Mapping[type[BridgeError], str] = {
    InvalidArgument: "Correct the argument and call again.",
    NotFound: "Name one that exists and call again.",
    SessionBusy: "Wait for it with opencode_wait, which also shows what it asks, if it waits for an answer, and how to "
    "answer. Or leave session_id out for a new session. opencode_abort stops it.",
    NotAllowed: "Only the person who configured this MCP server can allow it.",
    CallerError: "Change the call and try again.",
    OperatorError: "Ask the person to correct the settings of this MCP server; `opencode-mcp doctor` checks them.",
    BackendUnavailable: "Call again: that searches for OpenCode again. opencode_status shows what can be reached.",
    BackendTimeout: "Call again in a moment. opencode_status shows if OpenCode answers.",
    UnsupportedOperation: "opencode_status shows the version of OpenCode.",
    BackendFailed: "OpenCode itself failed; its log may say why. Call again; if it fails again, tell the person.",
    BackendError: "Call again in a moment.",
    GitFailed: "The files of the project are as they were. Correct what git names, then call again.",
}


def explain(error: BridgeError, unlisted_tools: Collection[str] = (), owner: SettingsOwner = UNKNOWN_OWNER) -> str:
    """Return an error as text for a model: what was wrong, what would be right, what to do next, what to know before.

    It may quote text of others, so all lines but the first are indented.

    Args:
        error: The error.
        unlisted_tools: Tools that are not listed; sentences of the hint that name one are left out.
        owner: Those whose settings hold for the call, to say where they are.
    """
    problem = cut_text(error.message, ERROR_LIMIT)
    started = f" {NOTHING_STARTED}" if error.started is False else ""
    if isinstance(error, NotAllowed) and error.change:
        steps = steps_after_refusal(error, error.change, owner, partial(without_tools, names=unlisted_tools))
        return "\n\n".join(indented(shown(cut_text(text, ERROR_LIMIT))) for text in (problem + started, *steps))
    usual = next(NEXT_STEPS[kind] for kind in type(error).__mro__ if kind in NEXT_STEPS)
    step = without_tools(error.hint or usual, unlisted_tools)
    return indented(shown(f"{problem} {cut_text(step, ERROR_LIMIT)}{started}"))


def result(
    text: str,
    data: Mapping[str, Any] | None = None,
    more: ContentBlock | None = None,
    *,
    verbatim: bool = False,
    is_shown: bool = False,
) -> CallToolResult:
    """Return a tool's result, cut to the limit of ``size_limit.py``.

    Args:
        text: Text for the model.
        data: The same as structured content; several hosts show a model only this, if it exists.
        more: An image, or a link to the complete content.
        verbatim: Whether it is content of files, which must not be changed, not even to hide secrets.
        is_shown: Whether the text was made by ``shown_sections``, section by section.
    """
    safe = valid_data if verbatim else shown_data
    structured = cast("dict[str, Any]", safe(data)) if data is not None else None
    fitted_text, fitted = fit(valid_unicode(text) if verbatim or is_shown else shown(text), structured)
    content: list[ContentBlock] = [TextContent(type="text", text=fitted_text), *([more] if more else [])]
    return CallToolResult(content=content, structured_content=fitted)


def cut(text: str, limit: int = TEXT_LIMIT, rest: str = "") -> str:
    """Cut a text to a limit, close a fence that this opens, and say how long it was and how to read the rest."""
    beginning = _beginning(text, limit)
    if beginning == text:
        return text
    lines = [beginning.removesuffix("\n"), excerpt.open_fence(beginning), f"… ({_part_of(beginning, text, rest)})"]
    return "\n".join(line for line in lines if line)


def _beginning(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return the beginning of a text that a result has room for, whatever its characters take as JSON."""
    beginning = excerpt.head(text, limit)
    while (size := json_size(beginning)) > BYTES_LIMIT:
        beginning = excerpt.head(beginning, len(beginning) * BYTES_LIMIT // size - 1)
    return beginning


def _part_of(beginning: str, text: str, rest: str) -> str:
    return f"the first {len(beginning)} of {len(text)} characters" + (f"; {rest}" if rest else "")


def report_data(report: "RunReport") -> dict[str, Any]:
    """Return a run's report as structured content. Empty fields are left out, except those that callers rely on."""
    data = report.model_dump(mode="json", exclude_defaults=True)
    if report.failed_command:
        data["note"] = f"{report.note} {_failed_command(report)}".strip()
    return data | {
        "text": _text_data(report),
        **({"error": cut_text(report.error, ERROR_LIMIT)} if report.error else {}),
        **({"subagents_cost": report.subagents_cost} if report.subagents_cost else {}),
        **({} if report.are_children_known else {"children_complete": False}),
        "pending": [request_data(request) for request in report.pending],
        "next": next_step(report),
    }


def _failed_command(report: "RunReport") -> str:
    return f"Its last command failed: {report.failed_command}." if report.failed_command else ""


def _text_data(report: "RunReport") -> str:
    if report.status not in UNFINISHED:
        return cut(report.text, rest=_rest_of_answer(report))
    answer, part = _shown_answer(report)
    return f"… ({part})\n{answer}" if part else answer


def next_step(report: "RunReport") -> str:
    """Return the next step of the caller in a few sentences, without those that name tools which are not listed."""
    is_lost = report.place_gone and report.status in {"completed", "aborted"}
    step = LOST_PLACE.format(session=report.session_id) if is_lost else _next_step(report)
    return without_tools(step, report.unlisted_tools)


def without_tools(text: str, names: Collection[str]) -> str:
    """Return a text of our own without the sentences that name one of some tools."""
    sentences = SENTENCE_END.split(text)
    return " ".join(sentence for sentence in sentences if set(TOOL_NAME.findall(sentence)).isdisjoint(names))


def _next_step(report: "RunReport") -> str:
    session = f'session_id="{report.session_id}"'
    match report.status:
        case "completed":
            return _after_completion(report, session)
        case "running":
            return f"{_step_while_running(report, session)} {_forms_of_session(report, session)}".rstrip()
        case "needs_input":
            return " ".join([*map(_answer_step, report.pending), "The run waits meanwhile."])
        case "aborted":
            return _step_after_stop(report, session)
        case "failed" if report.lost:
            return f"opencode_wait({session}) finds OpenCode again and reports what it kept of the run."
        case "failed":
            return failure_step(report)


def _step_while_running(report: "RunReport", session: str) -> str:
    if report.idle:
        return f"opencode_wait({session}) reports its end, or within a minute or so that it has none."
    step = f"It goes on by itself. Wait on with opencode_wait({session}). opencode_abort({session}) stops it."
    if not report.also_running:
        return step
    every = json.dumps([report.session_id, *report.also_running])
    return f'{step} With the others that go on: opencode_wait(session_ids={every}, until="any").'


def _forms_of_session(report: "RunReport", session: str) -> str:
    """Return a sentence on the open forms of clients in the session; empty if there are none."""
    if not report.session_forms:
        return ""
    forms = ", ".join(map(one_line, report.session_forms))
    return f"A client asks something in the session ({forms}), and the run does not wait: opencode_session({session})."


def _after_completion(report: "RunReport", session: str) -> str:
    """Return the next step after a completed run: first what makes its work whole, or what shows its changes."""
    if report.verified in {"failed", "timed out"}:
        return f"Have the cause corrected in the same session with opencode_run({session}, prompt=...)."
    further = _after_shortfall(report.shortfall)
    if further == GO_ON and any(map(_has_diff, report.files)):
        return f"{_to_changes(report, session)} opencode_run with this session_id goes on."
    return f"{further} with opencode_run({session}, prompt=...)."


def _has_diff(file: "ChangedFile") -> bool:
    """Return True for a change of the run's own that OpenCode has recorded."""
    return file.whose in OWN_CHANGES and not file.by_calls and not file.outside


def _to_changes(report: "RunReport", session: str) -> str:
    """Return sentences on how to see the changes of a run, and to keep or undo them."""
    seen = f"opencode_diff({session}) shows the changes."
    deciding = next((file.path for file in report.files if _has_diff(file) and decides_what_runs(file.path)), "")
    if report.isolated:
        return f"{seen} {_to_bring(report, session, deciding)}"
    if deciding:
        return (
            f"{seen} {one_line(deciding)} decides what OpenCode runs: opencode_revert undoes that only if the settings "
            f"allow it, and else names the flag. A prompt can have it changed back. {report.changes_loaded}"
        )
    return f'{seen} opencode_revert({session}, message_id="{report.message_id}") undoes them.'


def _to_bring(report: "RunReport", session: str, deciding: str) -> str:
    """Return a sentence on how to bring isolated changes into the project, or to drop them.

    Args:
        report: The run.
        session: Argument that names its session.
        deciding: A changed file that decides what OpenCode runs; empty if there is none.
    """
    removes = 'how="discard" removes the worktree, which stays until then.'
    if report.remote:
        return f'opencode_integrate({session}, how="merge") says how to bring them into the project; {removes}'
    if deciding:
        return (
            f"{one_line(deciding)} decides what OpenCode runs: opencode_integrate({session}) brings it into the "
            "project only if the person has allowed that. Have OpenCode take this change back in the same session to "
            f'bring the rest, or keep all on the branch with how="branch", for the person to merge; {removes}'
        )
    brings = "them into the project"
    if report.brought:
        brings = 'what is new into the project, how="undo" takes all out again'
    return f'opencode_integrate({session}, how="apply") brings {brings}; {removes}'


def _after_shortfall(reason: str) -> str:
    """Return the beginning of the next step after a run without a whole answer."""
    steps = {
        shortfall_sentences.CUT: "Ask for the rest, or again and for less at once,",
        shortfall_sentences.NO_ANSWER: "Ask again",
        shortfall_sentences.QUESTION_DISMISSED: "Say how to go on without that answer,",
        shortfall_sentences.PERMISSION_REFUSED.partition("{}")[0]: "Say how to go on without that call,",
    }
    return next((step for part, step in steps.items() if part in reason), GO_ON)


def _step_after_stop(report: "RunReport", session: str) -> str:
    if report.removed:
        return f"The session goes on without it: opencode_wait({session}) reports its latest prompt."
    if report.session_deleted:
        return "What it did stays. opencode_run(prompt=...) begins a new session."
    if report.at_limit:
        again = f"opencode_run({session}, prompt=...)"
        return f"What it did stays. If the task is worth more, go on with {again}. Each prompt has its own limits."
    return f"What it did stays. Give it another prompt with opencode_run({session}, prompt=...)."


def answer_steps(pending: "Sequence[PendingRequest]", unlisted_tools: Collection[str] = ()) -> str:
    """Return how to answer some requests, without sentences that name tools which are not listed."""
    return without_tools(" ".join(map(_answer_step, pending)), unlisted_tools)


def _answer_step(request: "PendingRequest") -> str:
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
        return f"{FORMLESS} Ask the person, then answer"
    return FORMLESS_BY_SETTINGS if request.left_to_person else "Answer"


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


def report_text(report: "RunReport") -> str:
    """Return a run's report as text for a model, cleaned for display."""
    sections = [
        report.note,
        "\n".join(filter(None, [_headline(report), name_line(report)])),
        _merged(report),
        report.shortfall,
        f"Error: {indented(cut_text(report.error, ERROR_LIMIT))}" if report.error else "",
        f"Doing: {one_line(report.activity)}" if report.activity else "",
        _answer(report),
        f"Structured answer:\n{_json(report.output)}" if report.output is not None else "",
        verification_text(report),
        _failed_command(report),
        _files(report),
        "Todos:\n" + "\n".join(report.todos) if report.todos else "",
        *map(request_text, report.pending),
        _decided(report),
        f"Next: {step}" if (step := next_step(report)) else "",
    ]
    return shown_sections(sections)


def _headline(report: "RunReport") -> str:
    tokens = report.tokens
    facts = [
        report.status,
        f"session {report.session_id}",
        f"message {report.message_id}",
        _time(report),
        one_line(report.model),
        f"agent {one_line(report.agent)}" if report.agent else "",
        f"{tokens.input:.0f} tokens in, {tokens.output:.0f} out" if tokens.output else "",
        _cost(report),
        _subagents(report),
    ]
    return " · ".join(fact for fact in facts if fact)


def _subagents(report: "RunReport") -> str:
    """Return the subagents of a run, and whether there may be others; empty if there are none."""
    if not report.children:
        return "" if report.are_children_known else SUBAGENTS_UNKNOWN
    others = "" if report.are_children_known else " and perhaps others (OpenCode could not list them)"
    return f"subagents {', '.join(report.children)}{others}"


def _cost(report: "RunReport") -> str:
    """Return the cost of a run with its subagents, and their part; empty if there is none."""
    if not report.cost:
        return "" if report.is_cost_known else "cost not known"
    amount = money(report.cost) if report.is_cost_known else f"at least {money(report.cost)}"
    if not report.subagents_cost:
        return amount
    by = quantity(report.subagents_counted, "subagent")
    return f"{amount} ({money(report.subagents_cost)} of it by {by})"


def name_line(report: "RunReport") -> str:
    """Return the line by which a run is recognised: the session's title, and the first words of the prompt."""
    title, words = without_repetition(one_line(report.title), one_line(report.prompt))
    names = [f'"{title}"' if title else "", f'prompt: "{words}"' if words else ""]
    return " · ".join(filter(None, names))


def _time(report: "RunReport") -> str:
    """Return the age or the duration of a run with its start, and the time that was spent waiting for an answer."""
    since = f" from {report.started}" if report.started else ""
    return f"{time_spent(report.seconds, report.waited)}{since}" if report.seconds else ""


def time_spent(seconds: float, waited: float) -> str:
    """Return a duration, and the part of it that was spent waiting for an answer if that is a second or more."""
    within = min(waited, seconds)
    return duration(seconds) + (f" ({duration(within)} of it waiting for an answer)" if within >= 1 else "")


def duration(seconds: float) -> str:
    """Return a duration in the units that suit it."""
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), MINUTE)
    if minutes < MINUTE:
        return f"{minutes} min {rest} s"
    return f"{minutes // MINUTE} h {minutes % MINUTE} min"


def _answer(report: "RunReport") -> str:
    """Return the answer in a fence, so that no line of it can look like a line of the report."""
    if not report.text:
        return ""
    answer, part = _shown_answer(report)
    notes = "; ".join(filter(None, ["unfinished" if report.status in UNFINISHED else "", part]))
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
    end = excerpt.tail(text, UNFINISHED_LIMIT)
    return end, f"the last {len(end)} of {len(text)} characters" if end != text else ""


def _shown_answer(report: "RunReport") -> tuple[str, str]:
    """Return the part of the answer that is shown, and a note on which part that is; empty if it is all of it."""
    if report.status in UNFINISHED:
        return shown_end(report.text)
    answer = _beginning(report.text)
    return answer, _part_of(answer, report.text, _rest_of_answer(report)) if answer != report.text else ""


def _rest_of_answer(report: "RunReport") -> str:
    """Return how to read an answer that is cut, unless the tool for that is not listed."""
    if not report.message_reader or not report.text_message:
        return ""
    call = (
        f'opencode_read_operation(operation="{report.message_reader}", '
        f'arguments={{"sessionID": "{report.session_id}", "messageID": "{report.text_message}"}}) reads on'
    )
    return without_tools(call, report.unlisted_tools)


def verification_text(report: "RunReport") -> str:
    """Return the result of the verification of a run; empty if there is none."""
    found = report.verification
    if found is None:
        return ""
    left = ", ".join(map(one_line, found.left))
    output = cut(clean(found.output)) if report.verified != "passed" else ""
    lines = [
        _verification_line(report.verified or "no result", found),
        indented(found.note),
        f"Left by the verification: {left}" if left else "",
        f"The end of its output:\n{excerpt.fence(output)}" if output else "",
    ]
    return "\n".join(filter(None, lines))


def _verification_line(outcome: str, found: "VerificationReport") -> str:
    facts = [
        f"Verification: {outcome}",
        one_line(found.command),
        f"exit code {found.exit_code}" if found.exit_code is not None else "",
        duration(found.seconds) if found.seconds else "",
        f"repairs {found.repairs}" if found.repairs else "",
    ]
    return " · ".join(filter(None, facts))


def _merged(report: "RunReport") -> str:
    if not report.merged_with:
        return ""
    return (
        f"OpenCode answered this prompt together with {', '.join(report.merged_with)}, which somebody else sent to the "
        "session at the same time: the text may be the answer to that one."
    )


def _files(report: "RunReport") -> str:
    """Return the lists of the changed files, each below its heading."""
    listed: dict[str, list[str]] = {heading: [] for heading in (*FILE_HEADINGS.values(), BY_CALLS)}
    for file in report.files[:SHOWN_FILES]:
        heading = BY_CALLS if file.by_calls else FILE_HEADINGS[file.whose]
        listed[heading].append(_file_line(file))
    lines: list[str] = []
    for heading, files in listed.items():
        lines += [heading, *files] if files else []
    more = len(report.files) - SHOWN_FILES
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def _file_line(file: "ChangedFile") -> str:
    names = ", ".join(session_name(other.session_id, other.title) for other in file.others)
    if len(file.others) > 1 and file.whose in {"other", "unknown"}:
        # An author is one of the sessions whose commands ran at that time, and not all of them.
        names = f"one of: {names}"
    by = f" ({OTHERS_DID[file.whose]} {names})" if names else ""
    return " ".join(filter(None, [file.change, name_in_line(file.path), _counts(file)])) + by


def _counts(file: "ChangedFile") -> str:
    """Return the numbers of changed lines, or why there are none."""
    if file.outside:
        return OUTSIDE
    if file.by_calls:
        return ""
    return NO_DIFF if file.change == "changed" else f"+{file.added} -{file.removed}"


def session_name(session_id: str, title: str) -> str:
    """Return a session's id with its title, if it has more than the one that every new session gets."""
    name = one_line(made_title(title))
    return f'{session_id} "{name}"' if name else session_id


def _decided(report: "RunReport") -> str:
    """Return what the operator's policy answered, so that the reader knows why nobody was asked, and other refusals."""
    words = {"once": "allowed", "reject": "refused"}
    by_policy = [item for item in report.decided if not item.by]
    lines = [one_line(f"{words[item.reply]} {item.permission}: {', '.join(item.patterns)}") for item in by_policy]
    title = ["By the permission policy of this MCP server:"] if lines else []
    return "\n".join([*title, *lines, *(_refused(item) for item in report.decided if item.by)])


def _refused(item: "Decision") -> str:
    by = "by the person" if item.by == "person" else "with opencode_reply_permission"
    reason = f" (reason given: {item.message})" if item.message else ""
    return one_line(f"Refused {by}, so it was not done: {item.permission}: {', '.join(item.patterns)}{reason}")


def request_data(request: "PendingRequest") -> dict[str, Any]:
    """Return a request as structured content, which contains a long command or question only once."""
    data = request.model_dump(mode="json", exclude_defaults=True)
    _change_patterns(data, _brief)
    if request.kind == "question":
        # The questions follow in full, with their options.
        data["asks"] = _brief(request.asks)
    if _is_decided_by_reader(request):
        data["asks"] = ToDecide(data["asks"])
        _change_patterns(data, ToDecide)
    return data


def _change_patterns(data: dict[str, Any], change: Callable[[str], str]) -> None:
    """Change each pattern of a request's data."""
    for name in ("patterns", "always"):
        if name in data:
            data[name] = [change(pattern) for pattern in data[name]]


def _is_decided_by_reader(request: "PendingRequest") -> bool:
    """Return True if the calling agent decides on the request, and therefore must see all of it."""
    return request.kind == "permission" and request.agent_may_answer


def _brief(text: str) -> str:
    return text if len(text) <= BRIEF else f"{text[:BRIEF]}…"


def request_text(request: "PendingRequest") -> str:
    """Return a request as text for a model."""
    whose = f" of the subagent {request.session_id}" if request.subagent else ""
    lines = [f"Waiting for a {request.kind}{whose} ({request.request_id}):"]
    if request.kind == "permission" or not request.questions:
        lines.append(INDENT + indented(request.asks))
    if request.always:
        lines.append(_always_line(request))
    lines += [INDENT + indented(text) for text in request.preface]
    for item in request.questions:
        lines += [f"Question: {indented(item['question'])}", *_choices(item)]
    text = "\n".join(lines)
    return ToDecide(text) if _is_decided_by_reader(request) else text


def _always_line(request: "PendingRequest") -> str:
    """Return the line on what the answer "always" would allow, and who may give it."""
    covers = always_text.always_covers(request.permission, request.always, request.always_lasts)
    only = "" if request.agent_may_always else " Only a person may choose it."
    return f'"always" would also allow {one_line(covers, ALWAYS_LIMIT)}.{only}'


def _choices(question: Mapping[str, Any]) -> list[str]:
    """Return the lines with the answers that a question offers."""
    lines = [_option(option) for option in question["options"]]
    if "type" in question:
        lines.append(f"- {one_line(question['takes'])}")
    elif question["own_words"]:
        lines.append("- or own words")
    return [*lines, *_rules_of_choice(question)]


def _rules_of_choice(question: Mapping[str, Any]) -> list[str]:
    """Return the lines on how many answers a question takes, and when it takes none."""
    rules = [
        "several may be chosen" if question["multiple"] else "",
        "" if question.get("required", True) else "may be left out: []",
        f"default: {one_line(str(question['default']))}" if "default" in question else "",
        f"only if {one_line(question['asked_if'])}" if "asked_if" in question else "",
    ]
    return [f"({rule})" for rule in rules if rule]


def _option(option: Mapping[str, Any]) -> str:
    """Return the line of an option; only its label, in quotes, belongs into the answer."""
    description = one_line(option["description"])
    return f'- "{one_line(option["label"])}"' + (f" ({description})" if description else "")


def _json(value: object) -> str:

    # Cleaned before it is JSON, where Unicode's line ends could not be told from those of the text.
    return cut(json.dumps(shown_data(value), ensure_ascii=False, indent=1))
