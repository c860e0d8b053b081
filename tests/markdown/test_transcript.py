import json
import re
from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencode_mcp.markdown.detail_level import CUT_OFF, PermissionAnswer, RequestFacts
from opencode_mcp.markdown.show_choices import ShownParts
from opencode_mcp.markdown.transcript import render_message, render_transcript
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import SHELL_LINE_NOTE
from tests.markdown.own_words import own_words
from tests.runs.json_of import FOREIGN, families, messages, pages
from tests.runs.recordings import DIRECTORY, FOLDER, NAMES, hold_to_golden, load

POINTER = "To read a message whole, name its id."
SLACK = 400
"""Characters beyond the limit that may be needed to say what is left out."""
UNMADE = {"retry", "snapshot"}
"""The kinds of part that OpenCode's schema has and OpenCode 1.18 never makes."""

# To make up a page of messages takes longer than to render it.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


Json = Mapping[str, object]
shown = st.sampled_from(get_args(ShownParts))


def message(*parts: Json, number: int = 1, **info: object) -> Message:
    time = {"created": 0, "completed": 1000}
    head = {"id": f"msg_{number}", "sessionID": "ses_1", "role": "assistant", "time": time}
    return Message.read({"info": head | info, "parts": list(parts)})


def said(text: str) -> Json:
    return {"type": "text", "text": text}


def call(tool: str, **state: object) -> Json:
    return {"type": "tool", "tool": tool, "state": {"status": "completed", **state}}


def delegated(session: str) -> Json:
    return call("task", input={"subagent_type": "general"}, metadata={"sessionId": session})


def lines(*parts: Json, show: ShownParts = "brief") -> list[str]:
    return render_transcript([message(*parts)], show=show).split("\n")[1:]


@pytest.mark.parametrize("show", ["brief", "everything"])
@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_session_reads_as_kept(name: str, show: ShownParts) -> None:
    kept = load(name)
    text = render_transcript(kept.messages, show=show, children=kept.children, directory=DIRECTORY, pointer=POINTER)
    hold_to_golden(f"{name}.{show}", text)


def test_every_kept_text_belongs_to_a_recording() -> None:
    assert {path.name.split(".")[0] for path in FOLDER.glob("*.md")} == set(NAMES)


def test_the_recordings_hold_every_kind_of_part_that_opencode_makes() -> None:
    text = "".join((FOLDER / f"{name}.json").read_text(encoding="utf-8") for name in NAMES)
    known = {
        "text",
        "subtask",
        "reasoning",
        "file",
        "tool",
        "step-start",
        "step-finish",
        "patch",
        "agent",
        "compaction",
    }
    assert {kind for kind in known | UNMADE if f'"type": "{kind}"' in text} == known


def test_the_recordings_hold_nothing_of_the_machine_and_stay_small() -> None:
    files = [path.read_text(encoding="utf-8") for path in FOLDER.iterdir()]
    assert not [text for text in files if re.search(r"/(?:tmp|Users|root)/|127\.0\.0\.1|[A-Z]:\\\\", text)]
    assert sum(map(len, files)) < 300_000


def test_reasoning_is_folded_unless_detail_is_wanted() -> None:
    thought = {"type": "reasoning", "text": "First.\nThen."}
    assert lines(thought) == ["- thought: 12 characters"]
    assert lines(thought, show="everything") == ["- thought →", "```", "First.", "Then.", "```"]


def test_a_tool_call_shows_its_input_and_the_end_of_its_output() -> None:
    output = "\n".join(f"line {number}" for number in range(1000))
    result = lines(call("bash", input={"command": "make"}, output=output, metadata={"exit": 2}))
    assert result[0] == '- `bash(command="make")` exit code 2 → the last 593 of 8,889 characters:'
    assert result[-2:] == ["line 999", "```"]


def test_paths_in_the_project_are_reported_relative_to_it() -> None:
    parts = (
        call("read", input={"filePath": "/home/me/app/src/a.py"}, output="x"),
        {"type": "patch", "files": ["/home/me/app/src/a.py", "/etc/hosts"]},
    )
    text = render_transcript([message(*parts)], directory="/home/me/app")
    assert '- `read(filePath="src/a.py")` → `x`' in text
    assert "- meanwhile changed in the directory, maybe by others: `src/a.py`, `/etc/hosts`" in text


def test_only_files_that_a_call_names_are_reported_as_changed_by_the_message() -> None:
    parts = (
        call("write", input={"filePath": "src/a.py", "content": "x"}, output="Wrote."),
        call("bash", input={"command": "date"}, output="now"),
        {"type": "patch", "files": ["/home/me/app/src/a.py", "/home/me/app/b.py"]},
    )
    text = render_transcript([message(*parts)], directory="/home/me/app").splitlines()
    assert text[-2:] == ["- changed `src/a.py`", "- meanwhile changed in the directory, maybe by others: `b.py`"]


def test_a_long_argument_is_below_the_call_where_detail_is_wanted() -> None:
    result = lines(
        call("write", input={"filePath": "a.py", "content": "x = 1\ny = 2\n"}, output="Wrote."), show="everything"
    )
    assert result == ['- `write(filePath="a.py", content=…)`', "content:", "```", "x = 1", "y = 2", "```", "→ `Wrote.`"]


@pytest.mark.parametrize("text", ["if x:\n    return  1", "if x:\n\treturn 1\n" * 3, "a  b", "\u00e4  \u00f6"])
def test_white_space_in_an_argument_is_kept(text: str) -> None:
    (output,) = lines(call("write", input={"content": text}, output="Wrote."))
    assert json.dumps(text, ensure_ascii=False) in output


def test_white_space_in_the_name_of_a_file_is_kept() -> None:
    assert lines({"type": "patch", "files": ["src/a  \u00e4.py"]}) == [
        "- meanwhile changed in the directory, maybe by others: `src/a  \u00e4.py`"
    ]


def conversation() -> list[Message]:
    """A prompt, an answer with a call and a thought, a call alone, and a shell line of the user's."""
    thought = {"type": "reasoning", "text": "Hm."}
    return [
        message(said("Do it."), role="user", number=1),
        message(thought, said("I look."), call("read", input={"filePath": "a.py"}, output="x"), number=2),
        message(call("bash", input={"command": "make"}, output="made"), number=3),
        message({"type": "text", "text": SHELL_LINE_NOTE, "synthetic": True}, role="user", number=4),
        message(call("bash", input={"command": "ls"}, output="a.py"), number=5),
        message(thought, error={"name": "APIError", "data": {"message": "Overloaded"}}, number=6),
    ]


def numbers(text: str) -> list[str]:
    return re.findall(r"^### .*msg_(\d)$", text, re.MULTILINE)


def test_a_conversation_is_shown_without_tool_calls_and_thoughts_but_with_failures() -> None:
    text = render_transcript(conversation(), show="conversation")
    assert numbers(text) == ["1", "2", "6"]
    assert "Do it." in text
    assert "I look." in text
    assert "Overloaded" in text
    assert not [word for word in ("read(", "bash", "thought", "shell line") if word in text]


def test_a_conversation_says_where_tool_calls_are_left_out_and_how_many() -> None:
    text = render_transcript(conversation(), show="conversation")
    assert "```\nI look.\n```\n- then 3 tool calls, left out\n\n### " in text
    assert text.count("left out") == 1
    later = render_transcript(conversation()[2:], show="conversation").splitlines()
    assert later[1] == "- 2 tool calls before, left out"
    assert "left out" not in render_transcript(conversation())


def asked(**state: object) -> Json:
    options = [{"label": "Red", "description": "Warm"}, {"label": "Blue"}]
    return call("question", input={"questions": [{"question": "Which colour?", "options": options}]}, **state)


NO_WORDS: list[str] = []
QUESTION = ["- asked →", "```", "Which colour?", '- "Red" (Warm)', '- "Blue"', "```"]


@pytest.mark.parametrize(
    ("state", "end"),
    [
        ({"metadata": {"answers": [["Blue", "Red"]]}, "output": "Long."}, "- answer → `Blue, Red`"),
        ({"metadata": {"answers": [NO_WORDS]}}, "- answer → `no answer`"),
        ({"output": "The person chose Blue."}, "- answer → `The person chose Blue.`"),
        ({"status": "error", "error": "Dismissed"}, "- not answered → `Dismissed`"),
        ({"status": "running"}, "- no answer so far"),
    ],
)
def test_a_transcript_has_the_questions_of_the_model_and_their_answers(state: Json, end: str) -> None:
    assert lines(asked(**state), show="conversation") == [*QUESTION, end]
    assert lines(asked(**state), show="tools") == [*QUESTION, end]


def test_an_open_question_that_is_shown_above_is_not_repeated() -> None:
    page = [message(asked(status="running")), message(asked(output="Blue."))]
    text = render_transcript(page, requests=RequestFacts(questions_above=True))
    assert text.count("Which colour?") == 1
    assert "\n- asks what is shown above; no answer so far\n" in text


def test_a_question_of_an_unknown_form_is_not_lost_in_a_conversation() -> None:
    odd = call("question", input={"questions": "odd"}, output="Yes.")
    assert lines(odd, show="conversation") == ["- answer → `Yes.`"]


def test_tool_calls_are_shown_alone_and_those_of_the_user_are_distinguished() -> None:
    text = render_transcript(conversation(), show="tools")
    assert numbers(text) == ["2", "3", "4", "5"]
    assert "- You ran a shell line\n\n" in text
    assert [line for line in text.splitlines() if line.startswith("- `")] == [
        '- `read(filePath="a.py")` → `x`',
        '- `bash(command="make")` → `made`',
        '- `bash(command="ls")` → `a.py`',
    ]
    assert "I look." not in text


def test_messages_without_what_is_wanted_are_said_to_have_none_of_it() -> None:
    assert render_transcript(conversation()[:1], show="tools") == "These messages have no tool calls."
    assert render_transcript(conversation()[2:3], show="conversation") == "Nothing was said in these messages."


def test_an_answer_without_parts_that_goes_on_has_no_entry() -> None:
    awaited = message(number=2, time={"created": 0})
    asked = message(said("Do it."), role="user")
    assert numbers(render_transcript([asked, awaited])) == ["1"]
    assert render_transcript([awaited], show="everything") == "The answer has not begun."
    assert numbers(render_transcript([asked, message(said("I do"), number=2, time={"created": 0})])) == ["1", "2"]


def test_a_call_that_runs_names_the_session_of_its_subagent() -> None:
    part = call("task", input={"description": "Look"}, status="running", metadata={"sessionId": "ses_2"})
    assert lines(part) == ['- `task(description="Look")` is running in session ses_2']


def test_a_call_that_opencode_was_ended_in_was_cut_off() -> None:
    part = call("bash", input={"command": "make"}, status=CUT_OFF)
    assert lines(part) == ['- `bash(command="make")` was cut off']


def test_work_that_the_person_hands_to_a_subagent_is_reported_with_its_prompt() -> None:
    part = {"type": "subtask", "agent": "general", "description": "Look around", "prompt": "Tell what there is."}
    assert lines(part) == ["- hands to the subagent general, `Look around` → `Tell what there is.`"]
    assert lines({"type": "subtask"}) == ["- hands to the subagent `of no name` → `no words`"]


@pytest.mark.parametrize("tool", [("task", "subagent_type"), ("subagent", "agent")])
def test_the_messages_of_a_subagent_follow_its_call_with_the_name_of_its_agent(tool: tuple[str, str]) -> None:
    name, agent = tool
    part = call(name, input={agent: "general", "prompt": "Look"}, metadata={"sessionId": "ses_2"})
    text = render_transcript([message(part)], children={"ses_2": [message(said("Found."), number=2)]})
    assert "→ subagent general, session ses_2:" in text
    assert "> Found." in text


def test_a_change_of_the_agent_is_a_line_and_one_of_an_unknown_subject_is_not_shown() -> None:
    notices = ({"type": "notice", "subject": subject, "value": "`x`\n"} for subject in ("agent", "hat", "model"))
    assert lines(*notices) == ["- from here on, the agent is `` `x` ``", "- from here on, the model is `` `x` ``"]


def test_a_retry_and_a_kind_of_part_that_nobody_knows_are_reported() -> None:
    retry = {"type": "retry", "attempt": 2, "error": {"name": "APIError", "data": {"message": "Slow down"}}}
    assert lines(retry, {"type": "hologram"}, {"type": "snapshot"}) == [
        "- attempt 2 failed, asked again → `Slow down`",
        "- a part of the unknown kind `hologram`",
    ]


def test_an_attached_file_is_named_and_its_data_never_shown() -> None:
    part = {"type": "file", "mime": "image/png", "filename": "a b.png", "url": "data:image/png;base64,AAAA"}
    assert lines(part) == ["- attached `a b.png` (image/png), 26 characters of data"]


def test_a_subagent_that_two_calls_share_is_shown_once() -> None:
    child = {"ses_2": [message(said("The child's words."), number=9)]}
    text = render_transcript([message(delegated("ses_2"), delegated("ses_2"))], children=child)
    assert text.count("The child's words.") == 1


def test_subagents_that_start_one_another_are_shown_once_each() -> None:
    children = {
        "ses_2": [message(delegated("ses_3"), number=2)],
        "ses_3": [message(delegated("ses_2"), said("Deep."), number=3)],
    }
    text = render_transcript([message(delegated("ses_2"))], children=children)
    assert "> > ```\n> > Deep.\n> > ```" in text


def test_what_came_with_a_subagents_failure_is_reported_beside_its_messages() -> None:
    part = call(
        "task", input={"subagent_type": "general"}, status="error", error="Cancelled", metadata={"sessionId": "ses_2"}
    )
    text = render_transcript([message(part)], children={"ses_2": [message(said("Begun."), number=2)]})
    assert text.endswith("- the subagent failed → `Cancelled`")


def test_a_subagent_that_was_stopped_did_not_fail() -> None:
    part = call("task", status="error", error="Task cancelled", metadata={"sessionId": "ses_2"})
    text = render_transcript([message(part)], children={"ses_2": [message(said("Begun."), number=2)]})
    assert text.endswith("- the subagent was stopped")


def test_the_pointer_is_where_something_is_cut_and_only_there() -> None:
    short, long = [message(said("Fine."))], [message(said("word " * 2000))]
    assert POINTER not in render_transcript(short, pointer=POINTER)
    assert render_transcript(long, pointer=POINTER).endswith(f"\n\n{POINTER}")


def test_long_texts_share_the_room_and_short_ones_stay_whole() -> None:
    page = [message(said("word " * 700), number=1), message(said("Short."), number=2), message(said("word " * 700))]
    text = render_transcript(page, limit=3000)
    assert "Short." in text
    counts = [int(count.replace(",", "")) for count in re.findall(r"first ([\d,]+) of 3,500", text)]
    assert len(counts) == len(page) - 1
    assert max(counts) - min(counts) < 100


def test_where_not_all_messages_fit_the_oldest_are_left_out_and_named() -> None:
    page = [message(said(f"This is number {number}."), number=number) for number in range(1, 101)]
    text = render_transcript(page, limit=2000, pointer=POINTER)
    first, last = re.findall(r"\(msg_(\d+) to msg_(\d+)\)", text.split("\n", 1)[0])[0]
    shown = [int(number) for number in re.findall(r"This is number (\d+)", text)]
    assert (int(first), shown) == (1, list(range(int(last) + 1, 101)))
    assert len(text) <= 2000


def test_one_message_is_shown_with_everything_in_it() -> None:
    output = "\n".join(f"line {number}" for number in range(3000))
    text = render_message(message({"type": "reasoning", "text": "Hm.\nSo."}, call("bash", output=output)))
    assert output in text
    assert "Hm.\nSo." in text


def test_colours_and_what_no_reader_sees_are_taken_out() -> None:
    result = lines(said("\x1b[31mred\x1b[0m \u202eevil\x07 \U000e0041x\r\nnext\u2028last"))
    assert result == ["```", "red \ufffdevil\ufffd \ufffdx", "next", "last", "```"]


def test_a_text_with_many_backticks_gets_no_longer_than_it_is() -> None:
    result = lines(said("`" * 3000))
    assert max(map(len, result)) < 30


def test_a_moment_beyond_all_calendars_is_left_out() -> None:
    text = render_transcript([message(said("Hi."), role="user", time={"created": 1e300})])
    assert text.startswith("### user · msg_1\n")


@patient
@given(page=pages, children=families, show=shown, limit=st.integers(1000, 6000))
def test_any_messages_render_within_the_limit(
    *,
    page: list[Message],
    children: dict[str, list[Message]],
    show: ShownParts,
    limit: int,
) -> None:
    text = render_transcript(page, show=show, limit=limit, children=children, pointer=POINTER)
    assert len(text) <= limit + SLACK
    assert text.encode().strip()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", text.replace("\t", ""))


@patient
@given(page=pages, children=families, show=shown, limit=st.sampled_from((1000, 4000, 10**9)))
def test_nobodys_text_gets_out_of_its_fence(
    *,
    page: list[Message],
    children: dict[str, list[Message]],
    show: ShownParts,
    limit: int,
) -> None:
    text = render_transcript(page, show=show, limit=limit, children=children)
    assert not [line for line in own_words(text) if FOREIGN in line]


@patient
@given(page=pages, show=st.sampled_from(("brief", "everything")))
def test_there_are_as_many_headings_as_messages(*, page: list[Message], show: ShownParts) -> None:
    text = own_words(render_transcript(page, show=show, limit=10**9))
    # An answer that goes on may have nothing to show yet.
    ended = [one for one in page if one.info.role == "user" or one.info.time.completed is not None or one.info.error]
    assert len(ended) <= sum(line.startswith("#") for line in text) <= len(page)


@patient
@given(one=messages)
def test_any_message_renders_whole(one: Message) -> None:
    text = own_words(render_message(one))
    assert not [
        line for line in text if FOREIGN in line or re.search("characters, not shown|[Tt]he (first|last) ", line)
    ]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("Unable to execute the command", "- permission refused by a person: Use pnpm."),
        ("The user rejected it with the following feedback: Use pnpm.", "- permission refused by a person"),
    ],
)
def test_the_reason_of_a_refusal_is_reported_once(error: str, expected: str) -> None:
    refused = message({**call("bash", status="error", error=error), "callID": "call_1"})
    answers = {"call_1": PermissionAnswer("refused by a person", "Use pnpm.")}
    assert expected in render_transcript([refused], requests=RequestFacts(answers)).split("\n")
