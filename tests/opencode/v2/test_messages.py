"""Conversion of each message of OpenCode 2, and the run that an answer and an end belong to."""

from collections.abc import Mapping, Sequence

import pytest

from opencode_mcp.diffs.authorship import work_of
from opencode_mcp.markdown.transcript import render_transcript
from opencode_mcp.opencode.v2.messages.compactions_and_shell_lines import source_id
from opencode_mcp.opencode.vocabulary.wire.message import PROMPT_MARK, Message
from opencode_mcp.opencode.vocabulary.wire.parts import (
    AgentPart,
    CompactionPart,
    FilePart,
    PatchPart,
    ReasoningPart,
    RetryPart,
    StepFinishPart,
    TextPart,
)
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.outcome.answer_summary import summarise
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.reports.merged_prompts import merged_with
from opencode_mcp.runs.run_record import is_cut_short, is_prompt, was_followed
from tests.harness.each import for_each
from tests.opencode.v2.lists import (
    SESSION,
    Item,
    call,
    idle,
    item,
    only_call,
    prompt,
    read,
    said,
    step,
    stopped_step,
    verdict,
)

UNAVAILABLE = {"type": "provider.no-route", "message": "Model unavailable: scripted/nope"}
REPORT = item("synthetic", 5, text="<subagent state='completed'>Done.</subagent>", metadata={"source": "subagent"})
RESUMED = item("synthetic", 3, text="The server restarted while you were working. Go on.")
COMPACTION = item("compaction", 3, status="completed", reason="auto", summary="It was long.")
SHELL = item("shell", 5, shellID="sh_1", command="ls; exit 3", status="exited", exit=3, output={"output": "a\n"})
CLOSED_STEP = step(2, "", call("shell", {"status": "error"}), time={"created": 2000, "completed": 4000})
"""A step in which the server was killed, as it is listed after the next step of the session began."""
RUNS: Mapping[str, tuple[Sequence[Item], Mapping[str, tuple[State, Sequence[str]]]]] = {
    "one step": ([prompt(1), step(2), idle(3)], {"msg_001": (State.COMPLETED, ["msg_002"])}),
    "steps with calls": (
        [prompt(1), step(2, "tool-calls"), step(3), idle(4)],
        {"msg_001": (State.COMPLETED, ["msg_002", "msg_003"])},
    ),
    "work in progress": ([prompt(1), step(2, "tool-calls")], {"msg_001": (State.COMPLETED, ["msg_002"])}),
    "a step in progress": ([prompt(1), step(2, "")], {"msg_001": (State.SETTLING, ["msg_002"])}),
    "an error of the model": (
        [prompt(1), step(2, "error", error={"type": "provider.auth", "message": "No"}), idle(3, "failed")],
        {"msg_001": (State.FAILED, ["msg_002"])},
    ),
    "an unknown model": (
        [prompt(1), idle(2, "failed", error=UNAVAILABLE)],
        {"msg_001": (State.FAILED, ["msg_002"])},
    ),
    "an unknown model, then a known one": (
        [prompt(1), idle(2, "failed", error=UNAVAILABLE), prompt(3), step(4), idle(5)],
        {"msg_001": (State.FAILED, ["msg_002"]), "msg_003": (State.COMPLETED, ["msg_004"])},
    ),
    "a failure between two steps": (
        [prompt(1), step(2, "tool-calls"), idle(3, "failed", error=UNAVAILABLE)],
        {"msg_001": (State.FAILED, ["msg_002", "msg_003"])},
    ),
    "an interrupted step": (
        [prompt(1), stopped_step(2), idle(3, "interrupted")],
        {"msg_001": (State.ABORTED, ["msg_002"])},
    ),
    "an interrupt before the first step": (
        [prompt(1), idle(2, "interrupted")],
        {"msg_001": (State.ABORTED, ["msg_002"])},
    ),
    "an interrupt between two steps": (
        [prompt(1), step(2, "tool-calls"), idle(3, "interrupted")],
        {"msg_001": (State.ABORTED, ["msg_002", "msg_003"])},
    ),
    "an interrupt while OpenCode waits to ask the model again": (
        [prompt(1), step(2, ""), idle(3, "interrupted")],
        {"msg_001": (State.ABORTED, ["msg_002"])},
    ),
    "a rejected permission, after which there is no idle message": (
        [prompt(1), stopped_step(2), prompt(3), step(4), idle(5)],
        {"msg_001": (State.ABORTED, ["msg_002"]), "msg_003": (State.COMPLETED, ["msg_004"])},
    ),
    "an end without a complete step": (
        [prompt(1), step(2, ""), idle(3)],
        {"msg_001": (State.COMPLETED, ["msg_002"])},
    ),
    "an end without an answer": ([prompt(1), idle(2)], {"msg_001": (State.COMPLETED, ["msg_002"])}),
    "an end after a step with calls, then another prompt at once": (
        [prompt(1), step(2, "tool-calls"), idle(3), prompt(4), step(5), idle(6)],
        {"msg_001": (State.COMPLETED, ["msg_002"]), "msg_004": (State.COMPLETED, ["msg_005"])},
    ),
    "queued prompts": (
        [prompt(1), step(2), prompt(3), step(4), idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_002"]), "msg_003": (State.COMPLETED, ["msg_004"])},
    ),
    "a queued prompt that fails": (
        [prompt(1), step(2), prompt(3), idle(4, "failed", error=UNAVAILABLE)],
        {"msg_001": (State.COMPLETED, ["msg_002"]), "msg_003": (State.FAILED, ["msg_004"])},
    ),
    "a prompt that joined between two steps": (
        [prompt(1), step(2, "tool-calls"), prompt(3), step(4), idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_002", "msg_004"]), "msg_003": (State.COMPLETED, ["msg_004"])},
    ),
    "a prompt that joined, and an interrupt before the next step": (
        [prompt(1), step(2, "tool-calls"), prompt(3), idle(4, "interrupted")],
        {"msg_001": (State.ABORTED, ["msg_002", "msg_004"]), "msg_003": (State.ABORTED, ["msg_004"])},
    ),
    "a server that was killed, and the next prompt": (
        [prompt(1), step(2, ""), prompt(3), step(4), idle(5)],
        {"msg_001": (State.SETTLING, ["msg_002"]), "msg_003": (State.COMPLETED, ["msg_004"])},
    ),
    "a server that was killed, and a step that closed the broken one": (
        [prompt(1), CLOSED_STEP, prompt(3), step(4), idle(5)],
        {"msg_001": (State.SETTLING, ["msg_002"]), "msg_003": (State.COMPLETED, ["msg_004"])},
    ),
    "a server that was killed between two steps, and a prompt minutes later": (
        [prompt(1), step(2, "tool-calls"), prompt(300), step(301), idle(302)],
        {"msg_001": (State.COMPLETED, ["msg_002"]), "msg_300": (State.COMPLETED, ["msg_301"])},
    ),
    "a server that was killed, a closed step, and the service that resumed the run": (
        [prompt(1), CLOSED_STEP, RESUMED, step(4), idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_002", "msg_004"])},
    ),
    "a server that was killed, and the service that resumed its run": (
        [prompt(1), step(2, ""), RESUMED, step(4), idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_002", "msg_004"])},
    ),
    "a server that was stopped, and a resumed run that was then interrupted": (
        [prompt(1), stopped_step(2), RESUMED, idle(5, "interrupted")],
        {"msg_001": (State.ABORTED, ["msg_002"])},
    ),
    "a resumed run, and the next prompt": (
        [prompt(1), stopped_step(2), RESUMED, step(4), idle(5), prompt(6), step(7), idle(8)],
        {"msg_001": (State.COMPLETED, ["msg_002", "msg_004"]), "msg_006": (State.COMPLETED, ["msg_007"])},
    ),
    "the report of a background subagent": (
        [prompt(1), step(2), idle(3), REPORT, step(6), idle(7)],
        {"msg_001": (State.COMPLETED, ["msg_002"])},
    ),
    "the report of a background subagent, and a failure": (
        [prompt(1), step(2), idle(3), REPORT, idle(6, "failed", error=UNAVAILABLE)],
        {"msg_001": (State.COMPLETED, ["msg_002"]), "msg_005": (State.FAILED, ["msg_006"])},
    ),
    "the report of a background subagent during the run": (
        [prompt(1), step(2, "tool-calls"), REPORT, step(6), idle(7)],
        {"msg_001": (State.COMPLETED, ["msg_002", "msg_006"])},
    ),
    "the report of a background subagent after a rejection": (
        [prompt(1), stopped_step(2), REPORT, step(6), idle(7)],
        {"msg_001": (State.ABORTED, ["msg_002"])},
    ),
    "work that nobody asked for": (
        [prompt(1), step(2), idle(3), step(4), idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_002"])},
    ),
    "an execution without messages that is interrupted": (
        [prompt(1), step(2), idle(3), idle(4, "interrupted")],
        {"msg_001": (State.COMPLETED, ["msg_002"])},
    ),
    "a compaction before the first step": (
        [prompt(1), COMPACTION, step(4), idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_003:summary", "msg_004"])},
    ),
    "a compaction between two steps": (
        [prompt(1), step(2, "tool-calls"), COMPACTION, step(4), idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_002", "msg_003:summary", "msg_004"])},
    ),
    "a compaction that fails": (
        [
            prompt(1),
            {**COMPACTION, "status": "failed", "error": {"type": "compaction.failed", "message": "No summary"}},
            step(2, "error", error={"type": "provider.invalid-request", "message": "Too long"}),
            idle(4, "failed"),
        ],
        {"msg_001": (State.FAILED, ["msg_003:summary", "msg_002"])},
    ),
    "a compaction that a person asked for": (
        [prompt(1), step(2), idle(3), {**COMPACTION, "id": "msg_004"}, idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_002"]), "msg_004": (State.COMPLETED, ["msg_004:summary"])},
    ),
    "a compaction that a person asked for and interrupted": (
        [prompt(1), step(2), idle(3), {**COMPACTION, "id": "msg_004", "status": "running"}, idle(5, "interrupted")],
        {"msg_001": (State.COMPLETED, ["msg_002"]), "msg_004": (State.ABORTED, ["msg_004:summary"])},
    ),
    "a shell line after a run": (
        [prompt(1), step(2), idle(3), SHELL, idle(6), prompt(7), step(8), idle(9)],
        {
            "msg_001": (State.COMPLETED, ["msg_002"]),
            "msg_005": (State.COMPLETED, ["msg_005:output"]),
            "msg_007": (State.COMPLETED, ["msg_008"]),
        },
    ),
    "a shell line that runs": (
        [{**SHELL, "status": "running"}],
        {"msg_005": (State.SETTLING, ["msg_005:output"])},
    ),
    "a shell line that was stopped": (
        [{**SHELL, "status": "killed", "time": {"created": 5000, "completed": 6000}}],
        {"msg_005": (State.ABORTED, ["msg_005:output"])},
    ),
    "a change of the agent during a run": (
        [prompt(1), step(2, "tool-calls"), item("agent-switched", 3, agent="plan"), step(4), idle(5)],
        {"msg_001": (State.COMPLETED, ["msg_002", "msg_004"])},
    ),
}
"""Messages of a session, and the state and the answers of its runs."""
SHELL["time"] = {"created": 5000, "completed": 5100}


@for_each("case", RUNS.values(), ids=RUNS)
def test_the_messages_show_how_each_run_ended(
    case: tuple[Sequence[Item], Mapping[str, tuple[State, Sequence[str]]]],
) -> None:
    items, expected = case
    messages = read(*items)
    assert {run: verdict(messages, run) for run in expected} == expected


def test_every_message_belongs_to_the_session_and_has_parts_with_ids_of_their_own() -> None:
    listed = [item for items, _ in RUNS.values() for item in items]
    for message in read(*listed):
        owners = {(part.session_id, part.message_id) for part in message.parts}
        assert message.info.session_id == SESSION
        assert owners <= {(SESSION, message.info.id)}
        assert len({part.id for part in message.parts}) == len(message.parts)


def test_the_last_answer_to_a_prompt_is_marked_when_other_work_begins() -> None:
    queued = read(prompt(1), step(2, "tool-calls"), step(3), prompt(4), step(5))
    reported = read(prompt(1), step(2, "tool-calls"), step(3), REPORT, step(6))
    joined = read(prompt(1), step(2, "tool-calls"), prompt(3), step(4))
    killed = read(prompt(1), CLOSED_STEP, prompt(3), step(4))
    stopped = read(prompt(1), step(2, "tool-calls"), prompt(300), step(301))
    marked = [
        [message.info.id for message in messages if message.info.ended]
        for messages in (queued, reported, joined, killed, stopped)
    ]
    assert marked == [["msg_003"], ["msg_003"], [], ["msg_002"], []]


def test_an_answer_names_the_prompt_before_it() -> None:
    messages = read(prompt(1), step(2, "tool-calls"), prompt(3), step(4), idle(5), REPORT, step(6), idle(7))
    parents = {message.info.id: message.info.parent_id for message in messages if message.info.role == "assistant"}
    assert parents == {"msg_002": "msg_001", "msg_004": "msg_003", "msg_006": "msg_005"}


def test_a_page_that_begins_in_the_middle_of_a_run_goes_on_with_its_prompt() -> None:
    messages = read(step(2, "tool-calls"), idle(3, "interrupted"), step(4), prompt="msg_001")
    assert [message.info.parent_id for message in messages] == ["msg_001", "msg_001", ""]
    assert verdict(messages, "msg_001") == (State.ABORTED, ["msg_002", "msg_003"])


def test_a_page_that_begins_with_the_end_of_a_run_shows_its_error() -> None:
    older, newer = read(prompt(1)), read(idle(2, "failed", error=UNAVAILABLE), prompt(3), step(4), idle(5))
    assert verdict([*older, *newer], "msg_001") == (State.FAILED, ["msg_002"])
    assert verdict([*older, *newer], "msg_003") == (State.COMPLETED, ["msg_004"])


@pytest.mark.parametrize("outcome", ["failed", "interrupted"])
def test_an_end_on_a_page_of_its_own_changes_nothing_in_the_run_before_it(outcome: str) -> None:
    newer = read(idle(4, outcome))
    ended = read(prompt(1), step(2), idle(3))
    assert verdict([*ended, *newer], "msg_001") == (State.COMPLETED, ["msg_002"])


def test_prompts_that_joined_the_work_are_known_to_share_its_answer() -> None:
    joined = read(prompt(1), step(2, "tool-calls"), prompt(3), step(4), idle(5))
    queued = read(prompt(1), step(2), prompt(3), step(4), idle(5))
    assert merged_with(joined, "msg_001") == ["msg_003"]
    assert merged_with(queued, "msg_001") == []


def test_a_prompt_after_a_server_was_killed_shares_nothing_with_the_run_before_it() -> None:
    killed = read(prompt(1), step(2, ""), prompt(3), step(4), idle(5))
    closed = read(prompt(1), CLOSED_STEP, prompt(3), step(4), idle(5))
    stopped = read(prompt(1), step(2, "tool-calls"), prompt(300), step(301), idle(302))
    of_bridge = {**prompt(3), "id": f"msg_003{PROMPT_MARK}"}
    restarted = read(prompt(1), step(2, "tool-calls"), of_bridge, step(4), idle(5))
    for messages in (killed, closed, stopped, restarted):
        broken, answer = (message.info for message in messages if message.info.role == "assistant")
        assert merged_with(messages, "msg_001") == merged_with(messages, answer.parent_id) == []
        later = next(message for message in messages if message.info.id == answer.parent_id)
        assert was_followed(messages, "msg_001", later)
        assert not later.info.joined
        assert not broken.is_complete or is_cut_short(messages[1])


def test_a_run_is_known_to_be_over_before_the_next_prompt_is_answered() -> None:
    messages = read(prompt(1), step(2, ""), prompt(3))
    assert was_followed(messages, "msg_001", messages[-1])


def test_a_run_has_ended_when_a_prompt_that_was_sent_before_its_end_has_its_turn() -> None:
    queued = {**prompt(5), "id": "msg_003a"}
    messages = read(prompt(1), step(3, "tool-calls"), step(4), queued)
    assert was_followed(messages, "msg_001", messages[-1])
    assert not was_followed(read(prompt(1), step(3, "tool-calls"), queued), "msg_001", messages[-1])


def test_a_prompt_keeps_its_files_agents_skills_and_metadata() -> None:
    inline = {"data": "aGk=", "mime": "text/plain", "source": {"type": "inline"}, "name": "hi.txt"}
    place = {"data": "eA==", "mime": "text/x", "source": {"type": "uri", "uri": "file:///p/x.py"}}
    skill = {"id": "sk", "name": "Review", "text": "Look closely."}
    item = prompt(1, files=[inline, place], agents=[{"name": "plan"}], skills=[skill], metadata={"by": "me"})
    (message,) = read(item)
    text, first, second, agent, added = message.parts
    assert isinstance(text, TextPart)
    assert (text.text, text.id, is_prompt(message)) == ("Do it.", "msg_001:text:0", True)
    assert isinstance(first, FilePart)
    assert (first.url, first.mime, first.filename) == ("data:text/plain;base64,aGk=", "text/plain", "hi.txt")
    assert isinstance(second, FilePart)
    assert (second.url, second.filename) == ("file:///p/x.py", "")
    assert isinstance(agent, AgentPart)
    assert isinstance(added, TextPart)
    assert (agent.name, added.text, added.synthetic) == ("plan", "Skill Review:\nLook closely.", True)
    assert (message.info.model_extra or {})["metadata"] == {"by": "me"}


def test_a_step_keeps_its_content_its_use_and_its_files() -> None:
    retry = {"attempt": 2, "at": 9, "error": {"type": "provider.internal", "message": "Busy", "status": 503}}
    content = [{"type": "reasoning", "text": "Hm."}, said("One."), {"type": "hologram"}, said("Two.")]
    item = step(2, "stop", *content, snapshot={"files": ["a/b.txt"]}, retry=retry, rawFinish="end", native={"x": 1})
    message = read(prompt(1), item)[1]
    kinds = [type(part) for part in message.parts]
    assert kinds == [ReasoningPart, TextPart, TextPart, RetryPart, StepFinishPart, PatchPart]
    ids = [part.id for part in message.parts[:3]]
    assert ids == ["msg_002:reasoning:0", "msg_002:text:0", "msg_002:text:1"]
    summary = summarise([message])
    assert (summary.text, summary.model, summary.agent) == ("One.\n\nTwo.", "scripted/m1", "build")
    assert (summary.cost, summary.tokens.input, summary.tokens.reasoning, summary.seconds) == (0.5, 100, 5, 0.5)
    assert work_of([message], Session(id="ses_1", directory="/p")).files == {"/p/a/b.txt"}
    failed = message.parts[3]
    assert isinstance(failed, RetryPart)
    assert (failed.attempt, failed.error.text) == (1, "Busy (provider.internal, HTTP 503 from the model)")


def test_a_step_in_progress_has_no_end() -> None:
    message = read(prompt(1), step(2, "", said("")))[1]
    assert [type(part) for part in message.parts] == [TextPart]
    assert message.info.time.completed is None


def test_a_tool_call_keeps_its_result_in_the_form_of_the_domain() -> None:
    content = [
        {"type": "text", "text": "hi\n"},
        {"type": "file", "uri": "data:image/png;base64,eA==", "mime": "image/png", "name": "a.png"},
        {"type": "text", "text": "Command exited with code 4."},
    ]
    state = {"status": "completed", "input": {"command": "x"}, "content": content, "metadata": {"exit": 4}}
    part = only_call(read(step(1, "tool-calls", call("shell", state, "call_7")))[0])
    assert (part.id, part.call_id, part.tool, part.state.status) == ("call_7", "call_7", "shell", "completed")
    assert part.state.output == "hi\nCommand exited with code 4."
    assert part.state.metadata == {"exit": 4}
    assert part.state.attachments == [{"mime": "image/png", "url": "data:image/png;base64,eA==", "filename": "a.png"}]


@for_each(
    ("state", "status", "error"),
    [
        ({"status": "streaming", "input": '{"comm'}, "pending", ""),
        ({"status": "running", "input": {"command": "x"}, "metadata": {}}, "running", ""),
        ({"status": "error", "input": {}, "error": {"type": "aborted", "message": "Stopped"}}, "error", "Stopped"),
        ({"status": "error", "input": {}, "error": {"type": "tool.execution"}}, "error", "tool.execution"),
        ({"status": "paused"}, "paused", ""),
        ({}, "pending", ""),
    ],
)
def test_each_state_of_a_tool_call_has_a_status_of_the_domain(state: Item, status: str, error: str) -> None:
    found = only_call(read(step(1, "tool-calls", call("shell", state)))[0]).state
    assert (found.status, found.error) == (status, error)


def test_a_call_names_the_session_of_its_subagent_and_the_lines_that_it_changed() -> None:
    subagent = call("subagent", {"status": "running", "metadata": {"sessionID": "ses_2", "status": "running"}}, "c1")
    files = [{"file": "a", "additions": 2, "deletions": 1}, {"file": "b", "additions": 3, "deletions": 0}]
    edit = call("edit", {"status": "completed", "metadata": {"files": files}}, "c2")
    first, second = (only_call(message) for message in read(step(1, "", subagent), step(2, "", edit)))
    assert first.child_session == "ses_2"
    assert second.state.metadata["filediff"] == {"additions": 5, "deletions": 1}


def shown(*items: Item) -> str:
    return render_transcript(read(*items))


def test_a_shell_line_of_a_person_reads_as_one() -> None:
    text = shown(SHELL)
    assert '- `shell(command="ls; exit 3")` exit code 3 → `a`' in text
    assert "msg_005:output" in text


def test_a_compaction_reads_as_one() -> None:
    messages = read(COMPACTION)
    compaction = messages[0].parts[0]
    assert isinstance(compaction, CompactionPart)
    assert compaction.auto
    assert not is_prompt(messages[0])
    text = render_transcript(messages)
    assert "replaced by a summary (by itself)" in text
    assert "summary of the conversation before" in text
    assert "It was long." in text


@for_each(
    ("item", "line"),
    [
        (item("agent-switched", 1, agent="plan"), "- from here on, the agent is `plan`"),
        (
            item("model-switched", 1, model={"id": "m2", "providerID": "scripted"}),
            "- from here on, the model is `scripted/m2`",
        ),
        (item("location-switched", 1, location={"directory": "/p"}), "- from here on, the directory is `/p`"),
        (item("system", 1, text="Dates changed."), "- added by OpenCode → `Dates changed.`"),
        (item("synthetic", 1, text="A note."), "- added by OpenCode → `A note.`"),
        (item("skill", 1, skill="sk", name="Review", text=""), "- added by OpenCode → `Skill Review`"),
    ],
)
def test_what_is_neither_a_prompt_nor_an_answer_is_one_line(item: Item, line: str) -> None:
    (message,) = read(item)
    assert line in render_transcript([message])
    assert not is_prompt(message)


def test_messages_without_content_of_their_own_or_of_an_unknown_type_are_left_out() -> None:
    assert read(idle(1), item("hologram", 2), {"type": "user"}, item("user", 3) | {"id": 5}, "text", None) == []


def identified(messages: Sequence[Message]) -> list[str]:
    return [source_id(message.info.id) for message in messages]


def test_each_message_leads_back_to_the_one_that_it_was_made_from() -> None:
    assert identified(read(COMPACTION, SHELL, prompt(7))) == ["msg_003", "msg_003", "msg_005", "msg_005", "msg_007"]
