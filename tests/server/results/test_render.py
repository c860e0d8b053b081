"""Reports as a model reads them: one fact a line, nothing empty, and last what can be done now."""

import json
from typing import Any, cast

import pytest

from opencode_mcp.errors import SessionBusy
from opencode_mcp.runs.answers.answer_rules import READ_ONLY
from opencode_mcp.runs.outcome.endings import refusal_text
from opencode_mcp.runs.outcome.run_report import ChangedFile, Decision, OtherSession, PendingRequest, RunReport, Usage
from opencode_mcp.server.instructions import TOOL_NAME
from opencode_mcp.server.results.render import TEXT_CHARACTERS, cut, explain, result
from opencode_mcp.server.results.run_reports.changed_files_text import SHOWN_FILES
from opencode_mcp.server.results.run_reports.report_text import report_data, report_text
from opencode_mcp.server.results.run_reports.request_text import BRIEF_CHARACTERS
from opencode_mcp.server.results.run_reports.run_answer import UNFINISHED_CHARACTERS
from opencode_mcp.server.results.run_reports.run_steps import next_step
from opencode_mcp.server.results.run_reports.several_reports import reports_result
from opencode_mcp.text.durations import duration, time_spent
from tests.harness.bridges.bridge import text_of
from tests.harness.each import for_each

SES = "ses_1"
PERMISSION = PendingRequest(
    request_id="per_1",
    kind="permission",
    session_id=SES,
    asks="bash: git push\ncommand: git push",
    permission="bash",
    patterns=["git push"],
    always=["git *"],
)
COLOUR: dict[str, Any] = {
    "question": "Which colour?",
    "options": [{"label": "Red", "description": "Like fire"}],
    "multiple": False,
    "own_words": True,
}
QUESTION = PendingRequest(request_id="que_1", kind="question", session_id=SES, asks="Which colour?", questions=[COLOUR])


def report(status: Any = "completed", **more: Any) -> RunReport:  # noqa: ANN401 - any field of a report
    return RunReport(status=status, session_id=SES, message_id="msg_1", directory="/p", **more)


def test_the_headline_says_whose_report_it_is_and_what_it_cost() -> None:
    usage = Usage(input=1200, output=34)
    text = report_text(report(seconds=1.25, model="a/b", agent="build", tokens=usage, cost=0.0123, children=["ses_2"]))
    assert text.splitlines()[0] == (
        "completed · session ses_1 · message msg_1 · 1.2 s · a/b · agent build · 1200 tokens in, 34 out · $0.0123"
        " · subagents ses_2"
    )


def test_a_report_says_when_its_run_began() -> None:
    begun = report(seconds=1.25, started="2026-11-24T12:00:00Z")
    assert " · 1.2 s from 2026-11-24T12:00:00Z" in report_text(begun)
    assert report_data(begun)["started"] == "2026-11-24T12:00:00Z"


def test_a_run_that_goes_on_names_the_others_that_do() -> None:
    alone = next_step(report("running"))
    both = next_step(report("running", also_running=["ses_2"]))
    with_others = ' With the others that go on: opencode_wait(session_ids=["ses_1", "ses_2"], until="any").'
    assert both == alone + with_others
    assert next_step(report(also_running=["ses_2"])) == next_step(report())


def test_a_report_says_that_its_subagents_could_not_be_listed() -> None:
    unlisted = report(are_children_known=False)
    assert report_text(unlisted).splitlines()[0].endswith(" · OpenCode could not list its subagents")
    assert report_data(unlisted)["children_complete"] is False
    assert "children_complete" not in report_data(report())
    partly = report(children=["ses_2"], are_children_known=False)
    assert (
        report_text(partly)
        .splitlines()[0]
        .endswith(" · subagents ses_2 and perhaps others (OpenCode could not list them)")
    )


def test_the_cost_of_a_run_includes_its_subagents_and_says_if_a_part_of_it_is_unknown() -> None:
    spent = report(cost=0.0123, subagents_cost=0.004, subagents_counted=2)
    assert report_text(spent).splitlines()[0].endswith("$0.0123 ($0.004 of it by 2 subagents)")
    assert report_data(spent)["subagents_cost"] == 0.004
    assert "subagents_cost" not in report_data(report(cost=0.0123))
    assert "at least $0.0123" in report_text(report("aborted", cost=0.0123, is_cost_known=False))
    assert " · cost not known" in report_text(report("aborted", is_cost_known=False))


def test_a_run_that_changed_files_names_the_tool_that_shows_them_first() -> None:
    made = ChangedFile(path="a.py", change="modified", added=1, removed=0)
    end = "opencode_run with this session_id goes on."
    undoes = 'opencode_revert(session_id="ses_1", message_id="msg_1") undoes them.'
    shows = 'opencode_diff(session_id="ses_1") shows the changes.'
    assert next_step(report(files=[made])) == f"{shows} {undoes} {end}"
    brings = 'opencode_integrate(session_id="ses_1", how="apply") brings them into the project; how="discard" removes '
    brings += "the worktree, which stays until then."
    assert next_step(report(files=[made], isolated=True)) == f"{shows} {brings} {end}"
    brings = brings.replace("them into the project", 'what is new into the project, how="undo" takes all out again')
    assert next_step(report(files=[made], isolated=True, brought=True)) == f"{shows} {brings} {end}"
    for unseen in ({"outside": True}, {"by_calls": True}, {"whose": "other"}):
        step = next_step(report(files=[made.model_copy(update=unseen)]))
        assert step == 'Go on with opencode_run(session_id="ses_1", prompt=...).'
    configured = next_step(report(files=[made, made.model_copy(update={"path": "opencode.json"})]))
    assert (
        "opencode.json decides what OpenCode runs: opencode_revert undoes that only if the settings allow" in configured
    )
    isolated = next_step(report(files=[made, made.model_copy(update={"path": "opencode.json"})], isolated=True))
    assert "brings it into the project only if the person has allowed that" in isolated
    assert 'how="apply"' not in isolated
    assert 'with how="branch", for the person to merge; how="discard" removes the worktree' in isolated
    failed = report(files=[made], verified="failed")
    assert next_step(failed).startswith("Have the cause corrected in the same session with opencode_run(")


def test_a_failed_last_command_is_named_in_the_text_and_in_the_data() -> None:
    failed = report(failed_command="make (exit code 2)")
    assert "\n\nIts last command failed: make (exit code 2).\n\n" in report_text(failed)
    assert report_data(failed)["note"] == "Its last command failed: make (exit code 2)."
    assert "note" not in report_data(report())


def test_a_run_did_not_wait_longer_than_it_took() -> None:
    assert time_spent(2, 60) == "2.0 s (2.0 s of it waiting for an answer)"


def test_a_report_names_its_run_and_reports_the_time_of_waiting_apart() -> None:
    text = report_text(report(seconds=212.4, waited=180.2, title="Fix login", prompt="Fix the login page"))
    head, names = text.splitlines()[:2]
    assert head == "completed · session ses_1 · message msg_1 · 3 min 32 s (3 min 0 s of it waiting for an answer)"
    assert names == '"Fix login" · prompt: "Fix the login page"'
    assert report_text(report(title="Same", prompt="Same")).splitlines()[1] == '"Same"'
    assert (
        report_text(report(title="Fix", prompt="Fix the login page")).splitlines()[1] == 'prompt: "Fix the login page"'
    )


def test_files_that_only_tool_calls_name_are_reported_as_such() -> None:
    named = ChangedFile(path="a.txt", change="changed", added=0, removed=0, by_calls=True)
    outside = ChangedFile(path="/b.txt", change="changed", added=0, removed=0, outside=True)
    text = report_text(report(files=[named, outside]))
    assert "Changed files:\nchanged /b.txt (outside " in text
    heading = "Changed by its tool calls; OpenCode records no changes of these files, and cannot undo them:"
    assert f"{heading}\nchanged a.txt\n" in text


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (61, "1 min 1 s"), (7260, "2 h 1 min")]
)
def test_a_duration_has_units_that_suit_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("status", "heading"),
    [
        ("running", "Answer so far (unfinished)"),
        ("needs_input", "Answer so far (unfinished)"),
        ("aborted", "Last text before it was stopped"),
        ("failed", "Last text"),
    ],
)
def test_a_text_that_is_no_whole_answer_is_not_called_one(status: str, heading: str) -> None:
    assert f"{heading}:\n```\nHalf\n```" in report_text(report(status, text="Half"))


def test_of_a_long_unfinished_answer_the_end_is_shown() -> None:
    long = report("running", text="x" * 10 + "y" * UNFINISHED_CHARACTERS)
    note = f"the last {UNFINISHED_CHARACTERS} of {UNFINISHED_CHARACTERS + 10} characters"
    assert f"Answer so far (unfinished; {note}):\n```\nyyy" in report_text(long)
    assert report_data(long)["text"].startswith(f"… ({note})\nyyy")


def test_files_are_listed_by_whose_changes_they_are() -> None:
    other = [OtherSession(session_id="ses_2", title="Theirs")]
    files = [
        ChangedFile(path="a.py", change="modified", added=3, removed=1),
        ChangedFile(path="b.py", change="added", added=1, removed=0, whose="other", others=other),
        ChangedFile(path="c.py", change="added", added=1, removed=0, whose="unknown", others=other),
        ChangedFile(path="d.py", change="added", added=2, removed=0, whose="shared", others=other),
    ]
    assert (
        "Changed files:\n"
        "modified a.py +3 -1\n"
        'added d.py +2 -0 (also changed by ses_2 "Theirs")\n'
        "Changed by other sessions in the same directory, not by this run:\n"
        'added b.py +1 -0 (by ses_2 "Theirs")\n'
        "Changed meanwhile; it is not known by whom:\n"
        'added c.py +1 -0 (this run or ses_2 "Theirs")\n'
    ) in report_text(report(files=files))


def test_of_several_possible_authors_a_report_says_that_it_was_one_of_them() -> None:
    others = [OtherSession(session_id="ses_2", title="Theirs"), OtherSession(session_id="ses_3")]
    file = ChangedFile(path="a.py", change="added", added=1, removed=0, whose="other", others=others)
    assert 'added a.py +1 -0 (by one of: ses_2 "Theirs", ses_3)' in report_text(report(files=[file]))
    unknown = file.model_copy(update={"whose": "unknown"})
    assert '(this run or one of: ses_2 "Theirs", ses_3)' in report_text(report(files=[unknown]))
    shared = file.model_copy(update={"whose": "shared"})
    assert '(also changed by ses_2 "Theirs", ses_3)' in report_text(report(files=[shared]))


def test_a_changed_file_without_a_diff_says_so() -> None:
    files = [ChangedFile(path="a.py", change="changed", added=0, removed=0)]
    assert "Changed files:\nchanged a.py (no diff: not ready, or changed back)" in report_text(report(files=files))


def test_a_file_outside_of_the_project_is_named_as_one_without_a_diff() -> None:
    files = [ChangedFile(path="/elsewhere/a.py", change="changed", added=0, removed=0, outside=True)]
    assert "changed /elsewhere/a.py (outside the project: no diff" in report_text(report(files=files))


def test_a_prompt_that_was_removed_leads_to_what_the_session_did_since() -> None:
    removed = report("aborted", note="This prompt was undone.", removed=True)
    assert (
        next_step(removed)
        == 'The session goes on without it: opencode_wait(session_id="ses_1") reports its latest prompt.'
    )


def test_a_decision_that_was_left_to_a_person_is_to_be_put_to_one() -> None:
    request = PERMISSION.model_copy(update={"asks_for_person": True})
    step = next_step(report("needs_input", pending=[request]))
    assert "This host shows no forms" in step
    assert "Ask the person, then answer with opencode_reply_permission(" in step


def test_what_the_settings_leave_to_a_person_comes_to_an_agent_alone() -> None:
    request = PERMISSION.model_copy(update={"left_to_person": True})
    step = next_step(report("needs_input", pending=[request]))
    assert "what the settings leave to a person (`human`) comes to you: answer with opencode_reply_permission(" in step


@for_each(
    ("failure", "said"),
    [
        ("credentials", "The key of a is missing or refused"),
        ("credentials", "`opencode auth login`"),
        ("credentials", 'opencode_run(session_id="ses_1", model="a/c", prompt=...). Others: d/e.'),
        ("model", "The same may work later"),
        ("model", 'model="a/c"'),
        ("context", "Start a new session with opencode_run(prompt=...)"),
        ("length", "for less at once"),
        ("answer", 'opencode_run(session_id="ses_1", output_schema=..., prompt=...)'),
        ("request", "will be refused again"),
        ("request", 'model="a/c"'),
        (None, "Fix what the error names"),
    ],
)
def test_a_failure_names_what_would_work(failure: Any, said: str) -> None:  # noqa: ANN401 - a kind of failure
    failed = report("failed", error="No", failure=failure, model="a/b", usable_models=["a/c", "d/e"])
    assert said in next_step(failed)


@pytest.mark.parametrize(("failure", "unsaid"), [("answer", "for less at once"), ("request", "may work later")])
def test_no_advice_is_given_that_does_not_help(failure: Any, unsaid: str) -> None:  # noqa: ANN401 - as above
    assert unsaid not in next_step(report("failed", error="No", failure=failure))


def test_of_several_runs_those_that_go_on_take_a_line_and_next_names_them() -> None:
    running = report("running", title="Long", text="Half", seconds=41, activity="bash: pytest (40 s)", todos=["[ ] x"])
    asking = report("needs_input", pending=[QUESTION]).model_copy(update={"session_id": "ses_2"})
    done = report(text="Ready.").model_copy(update={"session_id": "ses_3"})
    made = reports_result([running, done, asking], until="any")
    text = text_of(made)
    line = 'running · session ses_1 · "Long" · 41.0 s · bash: pytest (40 s)'
    step = (
        "Answer what ses_2 asks, as its report says. 2 of 3 are still running: "
        'opencode_wait(session_ids=["ses_1", "ses_2"], until="any").'
    )
    assert text.endswith(f"{line}\n\n---\n\nNext: {step}")
    assert "Ready." in text
    assert "Half" not in text
    data = cast("dict[str, Any]", made.structured_content)
    assert (data["status"], data["next"]) == ("needs_input", step)
    assert "text" not in data["runs"][0]
    ended = cast("dict[str, Any]", reports_result([done, done], until="all").structured_content)
    assert ended["next"] == "All have ended. Each report names its next step."


def test_a_session_without_a_run_takes_a_line_beside_the_reports_of_the_others() -> None:
    made = reports_result([report(text="Ready.")], until="all", without_run=["ses_2"])
    line = 'no run yet · session ses_2. opencode_run(session_id="ses_2", prompt=...) starts one.'
    assert "Ready." in text_of(made)
    assert line in text_of(made).splitlines()
    data = cast("dict[str, Any]", made.structured_content)
    assert (data["status"], data["without_run"], len(data["runs"])) == ("completed", ["ses_2"], 1)
    denied = report(unlisted_tools=frozenset({"opencode_run"}))
    assert "opencode_run" not in text_of(reports_result([denied], until="all", without_run=["ses_2"]))


def test_what_is_empty_is_not_mentioned() -> None:
    lines = report_text(report()).splitlines()
    assert lines[0] == "completed · session ses_1 · message msg_1"
    assert lines[-1].startswith("Next: ")
    assert len([line for line in lines if line]) == 2


@for_each(
    ("more", "section"),
    [
        ({"text": "All done."}, "OpenCode's answer:\n```\nAll done.\n```"),
        ({"output": {"a": "ä"}}, 'Structured answer:\n{\n "a": "ä"\n}'),
        ({"output": []}, "Structured answer:\n[]"),
        ({"error": "No key"}, "Error: No key"),
        ({"activity": "bash: ls"}, "Doing: bash: ls"),
        ({"todos": ["[x] Plan", "[ ] Build"]}, "Todos:\n[x] Plan\n[ ] Build"),
        (
            {"files": [ChangedFile(path="a.py", change="modified", added=3, removed=1)]},
            "Changed files:\nmodified a.py +3 -1",
        ),
        (
            {"decided": [Decision(permission="bash", patterns=["ls", "pwd"], reply="once")]},
            "By the permission policy of this MCP server:\nallowed bash: ls, pwd",
        ),
        (
            {"decided": [Decision(permission="bash", patterns=["ls"], reply="reject", by="agent", message="No ls")]},
            "Refused with opencode_reply_permission, so it was not done: bash: ls (reason given: No ls)",
        ),
    ],
)
def test_each_fact_has_its_section(more: dict[str, Any], section: str) -> None:
    assert f"\n\n{section}\n\n" in report_text(report(**more))


def test_a_run_that_opencode_does_not_work_on_is_not_said_to_go_on() -> None:
    step = next_step(report(status="running", idle=True))
    assert "opencode_wait" in step
    assert "goes on" not in step
    assert "opencode_abort" not in step


def test_a_note_comes_first() -> None:
    assert report_text(report(note="Nothing was running.")).startswith("Nothing was running.\n\ncompleted · ")


def test_of_many_files_the_first_are_shown_and_the_rest_counted() -> None:
    files = [ChangedFile(path=f"{number}.txt", change="added", added=1, removed=0) for number in range(SHOWN_FILES + 7)]
    text = report_text(report(files=files))
    assert text.count("added ") == SHOWN_FILES
    assert "and 7 more" in text


def test_a_long_answer_is_cut_in_the_text_and_in_the_data_and_says_so() -> None:
    long = report(text="x" * (TEXT_CHARACTERS + 5))
    note = f"the first {TEXT_CHARACTERS} of {TEXT_CHARACTERS + 5} characters"
    assert f"OpenCode's answer ({note}):\n```\nxxx" in report_text(long)
    assert report_data(long)["text"].endswith(f"… ({note})")
    assert cut("short") == "short"


def test_a_long_answer_says_how_its_rest_is_read_unless_that_is_denied() -> None:
    known = {"text": "word " * TEXT_CHARACTERS, "text_message": "msg_2", "message_reader": "session.message"}
    call = (
        'opencode_read_operation(operation="session.message", '
        'arguments={"sessionID": "ses_1", "messageID": "msg_2"}) reads on'
    )
    assert f"characters; {call}):" in report_text(report(**known))
    assert report_data(report(**known))["text"].endswith(f"characters; {call})")
    denied = report(**known, unlisted_tools=frozenset({"opencode_read_operation"}))
    assert "opencode_read_operation" not in report_text(denied)


def test_an_answer_that_is_cut_in_a_fence_closes_it_before_the_note() -> None:
    text = report_data(report(text="Look:\n```py\n" + "x = 1\n" * TEXT_CHARACTERS))["text"]
    assert text.rpartition("\nx = 1\n```\n… (the first ")[1]


@for_each("letter", ["a", "é", "語", "\U0001f468", "\n", '"'])
def test_an_answer_of_any_letters_is_cut_once_and_the_note_has_the_true_length(letter: str) -> None:
    text = letter * 60_000
    long = report(text=text)
    outcome = result(report_text(long), report_data(long))
    note = f" of {len(text)} characters)"
    assert outcome.structured_content
    assert outcome.structured_content["text"].endswith(note)
    assert "left_out" not in outcome.structured_content
    assert text_of(outcome).count(note) == 1
    assert "left out" not in text_of(outcome)


def test_a_permission_shows_what_it_would_allow_and_how_to_answer() -> None:
    text = report_text(report("needs_input", pending=[PERMISSION]))
    assert "Waiting for a permission (per_1):\n    bash: git push\n    command: git push" in text
    assert '"always" would also allow every bash request that matches git *, in every session' in text
    assert 'opencode_reply_permission(request_id="per_1", session_id="ses_1", reply="once"|"always"|"reject")' in text


def test_a_permanent_always_says_so_in_the_text_and_in_the_data() -> None:
    request = PERMISSION.model_copy(update={"always_lasts": "for_ever"})
    waiting = report("needs_input", pending=[request])
    assert "in every session of the project permanently, since OpenCode saves it" in report_text(waiting)
    assert report_data(waiting)["pending"][0]["always_lasts"] == "for_ever"


def test_a_typed_question_shows_what_it_takes() -> None:
    typed: dict[str, object] = {
        "question": "How many?",
        "options": [],
        "multiple": False,
        "own_words": False,
        "type": "integer",
        "takes": "a whole number of at least 1",
        "required": False,
        "default": 3,
        "asked_if": "'Sure?' is 'true'",
    }
    waiting = report("needs_input", pending=[QUESTION.model_copy(update={"questions": [typed]})])
    text = report_text(waiting)
    assert "- a whole number of at least 1\n(may be left out: [])\n(default: 3)\n(only if 'Sure?' is 'true')" in text
    assert "answers=[[value], ...]" in text
    assert report_data(waiting)["pending"][0]["questions"] == [typed]


def test_always_is_offered_only_to_whom_it_is_open() -> None:
    request = PERMISSION.model_copy(update={"agent_may_always": False})
    assert 'reply="once"|"reject")' in next_step(report("needs_input", pending=[request]))
    assert "Only a person may choose it." in report_text(report("needs_input", pending=[request]))
    assert "Only a person may choose it." not in report_text(report("needs_input", pending=[PERMISSION]))


def test_a_subagents_request_says_so() -> None:
    request = PERMISSION.model_copy(update={"subagent": True, "session_id": "ses_2"})
    text = report_text(report("needs_input", pending=[request]))
    assert "Waiting for a permission of the subagent ses_2 (per_1):" in text
    assert 'session_id="ses_2"' in text


def test_what_only_a_person_may_answer_names_who_asks_and_what_ends_the_wait() -> None:
    request = PERMISSION.model_copy(update={"agent_may_answer": False})
    step = next_step(report("needs_input", pending=[request]))
    assert "Only a person may answer per_1: opencode_wait asks." in step
    assert 'reply="reject") refuses it' in step
    assert "opencode_abort" in step
    assert "--permissions agent" in step
    assert '"once"' not in step


def test_what_is_a_persons_elsewhere_does_not_send_the_agent_to_wait() -> None:
    request = QUESTION.model_copy(update={"agent_may_answer": False, "person_here": False})
    step = next_step(report("needs_input", pending=[request]))
    assert "where the run was started" in step
    assert "opencode_wait" not in step
    assert "reject=true) refuses it" in step


def test_a_read_only_bridge_names_nothing_that_it_would_refuse() -> None:
    request = PERMISSION.model_copy(update={"agent_may_answer": False, "person_here": False, "closed": READ_ONLY})
    step = next_step(report("needs_input", pending=[request]))
    assert "read-only" in step
    assert "opencode_reply_permission" not in step


def test_a_question_shows_its_options() -> None:
    text = report_text(report("needs_input", pending=[QUESTION]))
    assert text.count("Which colour?") == 1
    assert 'Question: Which colour?\n- "Red" (Like fire)\n- or own words' in text
    assert "opencode_reply_question" in text


def test_several_questions_are_distinguished() -> None:
    size = COLOUR | {"question": "Which size?", "multiple": True, "own_words": False}
    request = QUESTION.model_copy(update={"questions": [COLOUR, size]})
    text = report_text(report("needs_input", pending=[request]))
    colour, _, rest = text.partition("\nQuestion: Which size?")
    assert colour.endswith('Question: Which colour?\n- "Red" (Like fire)\n- or own words')
    assert rest.startswith('\n- "Red" (Like fire)\n(several may be chosen)')


def test_a_single_question_says_that_several_may_be_chosen_too() -> None:
    request = QUESTION.model_copy(update={"questions": [COLOUR | {"multiple": True}]})
    assert "(several may be chosen)" in report_text(report("needs_input", pending=[request]))


@for_each(
    ("status", "more", "said"),
    [
        ("completed", {}, 'opencode_run(session_id="ses_1", prompt=...)'),
        ("running", {}, 'opencode_wait(session_id="ses_1")'),
        ("running", {}, 'opencode_abort(session_id="ses_1")'),
        ("aborted", {}, "What it did stays."),
        ("failed", {}, "Fix what the error names"),
        ("failed", {"lost": True}, "opencode_wait"),
        ("needs_input", {"pending": [PERMISSION, QUESTION]}, "opencode_reply_permission"),
        ("needs_input", {"pending": [PERMISSION, QUESTION]}, "opencode_reply_question"),
    ],
)
def test_every_status_says_what_the_caller_can_do_now(status: str, more: dict[str, Any], said: str) -> None:
    assert said in next_step(report(status, **more))


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (refusal_text("question", ""), "Say how to go on without that answer, with opencode_run("),
        (refusal_text("bash", "git push"), "Say how to go on without that call, with opencode_run("),
        ("The model gave no answer.", "Ask again with opencode_run("),
        ("The model gave no answer: it was cut at the model's token limit.", "Ask for the rest, or again"),
        ("The answer was cut at the model's token limit.", "Ask for the rest, or again"),
    ],
)
def test_the_next_step_after_an_answer_that_is_missing_depends_on_the_reason(reason: str, said: str) -> None:
    assert next_step(report(shortfall=reason)).startswith(said)


def test_the_data_always_has_what_callers_rely_on_and_no_other_empty_fields() -> None:
    data = report_data(report())
    assert set(data) == {"status", "session_id", "message_id", "directory", "text", "pending", "next"}
    data = report_data(report("needs_input", pending=[PERMISSION], cost=0.5, files=[]))
    assert data["pending"][0]["request_id"] == "per_1"
    assert data["cost"] == 0.5
    assert "files" not in data


def test_a_result_is_text_and_perhaps_data() -> None:
    assert result("Hi").structured_content is None
    assert result("Hi", {"a": 1}).structured_content == {"a": 1}


def test_a_long_command_and_a_long_question_are_once_in_the_data() -> None:
    command = "echo " + "x" * 1000
    item: dict[str, Any] = {"question": command, "options": [], "multiple": False, "own_words": True}
    asked = PERMISSION.model_copy(update={"asks": f"bash: {command}", "patterns": [command], "always": [command]})
    put = QUESTION.model_copy(update={"asks": command, "questions": [item]})
    for request in (asked, put):
        data = report_data(report("needs_input", pending=[request]))
        assert json.dumps(data).count(command) == 1
        assert command[:BRIEF_CHARACTERS] in str(data["pending"][0].get("patterns", data["pending"][0]["asks"]))


def test_a_short_command_is_left_alone_in_the_data() -> None:
    (data,) = report_data(report("needs_input", pending=[PERMISSION]))["pending"]
    assert (data["asks"], data["patterns"], data["always"]) == (PERMISSION.asks, PERMISSION.patterns, PERMISSION.always)


EVERY_STATUS = ("completed", "running", "needs_input", "aborted", "failed")


@pytest.mark.parametrize("status", EVERY_STATUS)
@pytest.mark.parametrize("agent_may_answer", [True, False])
def test_a_tool_that_is_denied_is_suggested_nowhere(status: str, *, agent_may_answer: bool) -> None:
    pending = [PERMISSION.model_copy(update={"agent_may_answer": agent_may_answer})]
    made = report(status, pending=pending if status == "needs_input" else [])
    whole = next_step(made)
    for name in set(TOOL_NAME.findall(whole)):
        made.unlisted_tools = frozenset({name})
        step = next_step(made)
        assert name not in step
        assert all(f"{part.rstrip('.')}." in whole for part in step.split(". ") if part)
        assert "unlisted_tools" not in report_data(made)
        assert name not in report_text(made)


def test_where_nothing_is_left_to_suggest_no_next_step_is_reported() -> None:
    made = report(unlisted_tools=frozenset({"opencode_run"}))
    assert next_step(made) == ""
    assert "Next:" not in report_text(made)


def test_an_error_suggests_no_tool_that_is_denied() -> None:
    busy = SessionBusy("The session is busy.")
    assert "opencode_abort" in explain(busy)
    text = explain(busy, {"opencode_abort"})
    assert "opencode_abort" not in text
    assert "opencode_wait" in text
    assert text.startswith("The session is busy. ")
