"""Reading of OpenCode's replies: new fields are accepted, known ones are checked, and errors name missing ones."""

import pytest

from opencode_mcp.errors import BackendFailed
from opencode_mcp.opencode.vocabulary.backend_events import PartChanged
from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Agent, Command
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.parts import (
    FilePart,
    PatchPart,
    ReasoningPart,
    StepFinishPart,
    TextPart,
    ToolPart,
    UnknownPart,
)
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Permission, Question
from opencode_mcp.opencode.vocabulary.wire.providers import Provider
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.opencode.vocabulary.wire.wire_object import to_opencode
from tests.harness.each import for_each

INFO = {"id": "msg_1", "sessionID": "ses_1", "role": "assistant"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("id", "id"), ("session_id", "sessionID"), ("mime_type", "mimeType"), ("parent_id", "parentID"), ("cost", "cost")],
)
def test_names_are_spelled_as_opencode_spells_them(ours: str, theirs: str) -> None:
    assert to_opencode(ours) == theirs


def test_a_field_that_nobody_here_names_is_kept() -> None:
    session = Session.read({"id": "ses_1", "brandNew": {"deep": 1}})
    assert session.model_dump(by_alias=True)["brandNew"] == {"deep": 1}


@for_each(
    ("part", "kind"),
    [
        ({"type": "text", "text": "Hi"}, TextPart),
        ({"type": "reasoning", "text": "Hm"}, ReasoningPart),
        ({"type": "tool", "tool": "bash", "callID": "c1", "state": {"status": "running"}}, ToolPart),
        ({"type": "step-finish", "reason": "stop", "cost": 0.1, "tokens": {"input": 1}}, StepFinishPart),
        ({"type": "patch", "files": ["a"]}, PatchPart),
        ({"type": "file", "mime": "text/plain", "url": "file:///a"}, FilePart),
        ({"type": "step-start"}, UnknownPart),
        ({"type": "hologram", "depth": 3}, UnknownPart),
        ({"type": ""}, UnknownPart),
        ({}, UnknownPart),
    ],
)
def test_each_kind_of_part_is_distinguished_and_an_unknown_one_tolerated(part: object, kind: type) -> None:
    message = Message.read({"info": INFO, "parts": [part]})
    assert type(message.parts[0]) is kind


def test_a_part_whose_kind_is_no_text_is_refused() -> None:
    with pytest.raises(BackendFailed, match=r"of an unknown form \(parts"):
        Message.read({"info": INFO, "parts": [{"type": ["text"]}]})


def test_an_unknown_part_keeps_what_it_holds() -> None:
    message = Message.read({"info": INFO, "parts": [{"type": "hologram", "depth": 3}]})
    assert message.parts[0].model_dump()["depth"] == 3


@pytest.mark.parametrize(
    ("value", "said"),
    [({"title": "No id"}, "Session of an unknown form (id)"), ([], "(itself)"), (None, "(itself)"), ("x", "(itself)")],
)
def test_an_object_without_what_every_opencode_sends_is_named_with_the_field(value: object, said: str) -> None:
    with pytest.raises(BackendFailed) as failed:
        Session.read(value)
    assert said in failed.value.message


@pytest.mark.parametrize("value", [{}, None, "x", {"0": {"id": "ses_1"}}])
def test_what_is_no_list_is_refused(value: object) -> None:
    with pytest.raises(BackendFailed, match="no list of Session"):
        Session.read_list(value)


def test_a_value_of_another_kind_is_not_shown_in_the_error() -> None:
    with pytest.raises(BackendFailed) as failed:
        Provider.read({"id": {"apiKey": "hush"}})
    assert "hush" not in str(failed.value)


@for_each(
    ("failure", "text"),
    [
        ({"name": "MessageAbortedError", "data": {"message": "Aborted"}}, "Aborted"),
        (
            {"name": "UnknownError", "data": {"message": "Model not found: a/b.\n    at x (y.ts)"}},
            "Model not found: a/b.",
        ),
        (
            {"name": "APIError", "data": {"message": "Invalid API key", "statusCode": 401, "isRetryable": False}},
            "Invalid API key (APIError, HTTP 401 from the model)",
        ),
        ({"name": "ContextOverflowError", "data": {}}, "ContextOverflowError"),
        ({"name": "ProviderAuthError"}, "ProviderAuthError"),
        ({}, "UnknownError"),
    ],
)
def test_a_failure_reads_in_opencodes_own_words_without_the_stack(failure: object, text: str) -> None:
    assert Failure.read(failure).text == text


@pytest.mark.parametrize(
    ("tool", "metadata", "child"),
    [
        ("task", {"sessionId": "ses_2"}, "ses_2"),
        ("subagent", {"sessionId": "ses_2"}, "ses_2"),
        ("task", {}, ""),
        ("bash", {"sessionId": "ses_2"}, ""),
    ],
)
def test_only_a_task_has_a_subagents_session(tool: str, metadata: object, child: str) -> None:
    part = {"type": "tool", "tool": tool, "state": {"metadata": metadata}}
    assert ToolPart.read(part).child_session == child
    assert PartChanged("ses_1", part).child_session == child


def test_a_changed_part_without_a_name_of_a_tool_has_no_subagents_session() -> None:
    parts: list[dict[str, object]] = [{}, {"tool": None}, {"tool": ["task"]}]
    assert [PartChanged("ses_1", part).child_session for part in parts] == ["", "", ""]


@pytest.mark.parametrize("kind", [Agent, Command])
def test_what_a_projects_file_leaves_out_may_come_as_null(kind: type[Agent | Command]) -> None:
    bare = kind.read({"name": "late", "description": None, "hidden": None, "model": None, "hints": None})
    assert (bare.name, bare.description) == ("late", "")


def test_a_model_is_named_with_its_provider() -> None:
    assert MessageInfo.read(INFO | {"providerID": "a", "modelID": "b"}).model == "a/b"
    assert MessageInfo.read(INFO).model == ""


def test_a_permission_is_read_with_the_call_that_asked() -> None:
    permission = Permission.read(
        {
            "id": "per_1",
            "sessionID": "ses_1",
            "permission": "bash",
            "patterns": ["echo hi"],
            "metadata": {"command": "echo hi"},
            "always": ["echo *"],
            "tool": {"messageID": "msg_1", "callID": "call_1"},
        }
    )
    assert permission.tool
    assert (permission.session_id, permission.tool.message_id, permission.tool.call_id) == ("ses_1", "msg_1", "call_1")


def test_a_question_takes_own_words_unless_it_says_otherwise() -> None:
    asked = {"question": "Which?", "options": [{"label": "Red"}]}
    question = Question.read({"id": "que_1", "sessionID": "ses_1", "questions": [asked, asked | {"custom": False}]})
    assert [item.custom for item in question.questions] == [True, False]
