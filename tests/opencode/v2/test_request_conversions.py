"""Permissions and forms of OpenCode 2 become the bridge's requests, and answers become form replies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.errors import BackendFailed, InvalidArgument
from opencode_mcp.opencode.v2.request_conversions import form_answer, permission_of, question_of
from opencode_mcp.opencode.vocabulary.answer_parser import FieldValue, texts_of
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import (
    Choice,
    Condition,
    Permission,
    Question,
    QuestionItem,
    ToolCall,
)
from opencode_mcp.text.json_types import JsonMap
from tests.harness.each import for_each

NONE: list[str] = []
CALL = ToolCall(message_id="msg_1", call_id="call_1")
SHELL: JsonMap = {
    "id": "per_1",
    "sessionID": "ses_1",
    "action": "shell",
    "resources": ["echo hi"],
    "save": ["echo hi"],
    "metadata": {},
    "source": {"type": "tool", "messageID": "msg_1", "id": "call_1"},
}
TOOL: JsonMap = {
    "id": "frm_1",
    "sessionID": "ses_1",
    "title": "Questions",
    "metadata": {"kind": "question", "tool": {"messageID": "msg_1", "id": "call_1"}},
    "fields": [
        {
            "key": "q0",
            "title": "Colour",
            "description": "Which colour?",
            "type": "string",
            "options": [{"value": "Red", "label": "Red", "description": "warm"}],
            "custom": True,
        },
        {"key": "q1", "title": "Sizes", "description": "Which?", "type": "multiselect", "options": [], "custom": True},
    ],
}


def elicitation(*fields: JsonMap) -> JsonMap:
    return {
        "id": "frm_2",
        "sessionID": "global",
        "title": "demo is requesting input",
        "metadata": {"kind": "mcp-elicitation", "server": "demo", "message": "Who are you?"},
        "fields": list(fields),
    }


def item_of(field: JsonMap) -> QuestionItem:
    return question_of(elicitation(field)).questions[0]


def test_a_permission_says_what_is_asked_by_which_call_and_that_always_is_permanent() -> None:
    assert permission_of(SHELL) == Permission(
        id="per_1",
        session_id="ses_1",
        permission="shell",
        patterns=["echo hi"],
        always=["echo hi"],
        always_lasts="for_ever",
        tool=CALL,
    )


@for_each(
    ("more", "expected"),
    [
        ({"save": None}, {"always": []}),
        ({"source": None}, {"tool": None, "of_client": True}),
        ({"source": {"type": "new"}}, {"tool": None}),
        ({"message": "Needed."}, {"message": "Needed."}),
        ({"metadata": {"diff": "+a"}}, {"metadata": {"diff": "+a"}}),
        ({"metadata": 3, "resources": "x", "save": [1, "a"]}, {"metadata": {}, "patterns": [], "always": ["a"]}),
    ],
)
def test_a_permission_without_a_detail_is_still_a_permission(more: JsonMap, expected: dict[str, object]) -> None:
    permission = permission_of({**SHELL, **more})
    assert {name: getattr(permission, name) for name in expected} == expected


def test_a_form_of_the_question_tool_becomes_questions_that_all_need_an_answer() -> None:
    assert question_of(TOOL) == Question(
        id="frm_1",
        session_id="ses_1",
        tool=CALL,
        questions=[
            QuestionItem(
                key="q0",
                header="Colour",
                question="Which colour?",
                options=[Choice(label="Red", description="warm", value="Red")],
            ),
            QuestionItem(key="q1", header="Sizes", question="Which?", multiple=True, custom=False),
        ],
    )


def test_a_form_that_no_tool_call_opened_is_one_of_a_client_whatever_it_says_of_itself() -> None:
    assert not question_of(TOOL).of_client
    assert not question_of(elicitation()).of_client
    assert question_of({**TOOL, "metadata": {}}).of_client
    assert question_of({**TOOL, "metadata": {"kind": "question", "server": "demo"}}).of_client


def test_a_form_of_an_mcp_server_belongs_to_the_directory_and_says_who_asks_and_why() -> None:
    question = question_of(elicitation({"key": "name", "type": "string"}))
    assert question.of_directory
    assert (question.tool, question.server, question.title, question.message) == (
        None,
        "demo",
        "demo is requesting input",
        "Who are you?",
    )


@for_each(
    ("field", "item"),
    [
        (
            {"key": "n", "type": "string", "title": "Name", "required": True, "minLength": 1, "maxLength": 9},
            QuestionItem(key="n", question="Name", kind="text", min_length=1, max_length=9),
        ),
        (
            {
                "key": "m",
                "type": "string",
                "format": "email",
                "pattern": ".+@x",
                "placeholder": "a",
                "default": "b@x",
            },
            QuestionItem(
                key="m",
                question="m",
                kind="text",
                required=False,
                format="email",
                pattern=".+@x",
                placeholder="a",
                default="b@x",
            ),
        ),
        (
            {"key": "p", "type": "string", "options": [{"value": "a", "label": "A"}], "default": "a"},
            QuestionItem(
                key="p",
                question="p",
                options=[Choice(label="A", value="a")],
                custom=False,
                required=False,
                default="a",
            ),
        ),
        (
            {"key": "r", "type": "number", "minimum": 0, "maximum": 1.5, "default": 1},
            QuestionItem(key="r", question="r", kind="number", required=False, minimum=0, maximum=1.5, default=1),
        ),
        (
            {"key": "i", "type": "integer", "minimum": "-Infinity", "maximum": 10},
            QuestionItem(key="i", question="i", kind="integer", required=False, maximum=10),
        ),
        (
            {"key": "b", "type": "boolean", "default": False, "hidden": True},
            QuestionItem(key="b", question="b", kind="boolean", required=False, default=False, hidden=True),
        ),
        (
            {
                "key": "t",
                "type": "multiselect",
                "options": [{"value": "a", "label": "A"}],
                "minItems": 1,
                "maxItems": 2,
                "default": ["a"],
            },
            QuestionItem(
                key="t",
                question="t",
                options=[Choice(label="A", value="a")],
                multiple=True,
                custom=False,
                required=False,
                min_items=1,
                max_items=2,
                default=["a"],
            ),
        ),
        (
            {"key": "e", "type": "external", "url": "https://example.com", "title": "Log in", "description": "Please"},
            QuestionItem(key="e", question="Please", header="Log in", kind="external", url="https://example.com"),
        ),
        (
            {"key": "w", "type": "string", "when": [{"key": "b", "op": "neq", "value": 0}]},
            QuestionItem(
                key="w", question="w", kind="text", required=False, when=[Condition(key="b", op="neq", value=0)]
            ),
        ),
        ({"key": "z", "type": "colour-wheel"}, QuestionItem(key="z", question="z", kind="text", required=False)),
    ],
)
def test_every_type_of_field_keeps_its_limits(field: JsonMap, item: QuestionItem) -> None:
    assert item_of(field) == item


@pytest.mark.parametrize("broken", [{}, {"id": "x"}, {"sessionID": "ses_1"}, {"id": 3, "sessionID": None}])
def test_a_request_without_id_or_session_is_reported_as_unknown(broken: JsonMap) -> None:
    for convert in (permission_of, question_of):
        with pytest.raises(BackendFailed):
            convert(broken)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    *("key", "title", "description", "required", "hidden", "when", "format", "minLength", "maxLength"),
    *("pattern", "placeholder", "default", "options", "custom", "minimum", "maximum", "minItems", "maxItems", "url"),
)
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "multiselect", "external", "new"])
FIELD = st.fixed_dictionaries({"type": TYPES | JSON}, optional=dict.fromkeys(NAMES, JSON))


@given(st.dictionaries(st.sampled_from(["action", "resources", "save", "metadata", "source", "message"]), JSON))
def test_no_detail_of_a_permission_can_stop_its_reading(details: dict[str, Any]) -> None:
    assert permission_of({"id": "per_1", "sessionID": "ses_1", **details}).id == "per_1"


@given(st.lists(FIELD, max_size=4), JSON)
def test_no_detail_of_a_form_can_stop_its_reading_or_its_reply(fields: list[dict[str, Any]], metadata: object) -> None:
    question = question_of({"id": "frm_1", "sessionID": "ses_1", "fields": fields, "metadata": metadata, "title": 3})
    keys = {item.key for item in question.questions}
    answers = [texts_of(item.default) or ["1"] for item in question.asked]
    try:
        answer = form_answer(question, answers)
    except InvalidArgument:
        return
    assert answer
    assert answer.keys() <= keys


# Replies

CHOSEN = elicitation(
    {"key": "count", "type": "integer", "required": True},
    {"key": "ratio", "type": "number"},
    {"key": "sure", "type": "boolean", "required": True},
    {"key": "plan", "type": "string", "options": [{"value": "pro", "label": "Professional"}]},
    {"key": "tags", "type": "multiselect", "options": [{"value": "a", "label": "A"}], "custom": True},
    {"key": "page", "type": "external", "url": "https://example.com"},
    {"key": "server", "type": "string", "hidden": True, "default": "x"},
)


@pytest.mark.parametrize(
    ("form", "answers", "answer"),
    [
        (TOOL | {"fields": TOOL["fields"][:1]}, [["red"]], {"q0": "Red"}),
        (TOOL | {"fields": TOOL["fields"][:1]}, [["Green"]], {"q0": "Green"}),
        (
            CHOSEN,
            [["3"], ["0.5"], ["no"], ["professional"], ["a", "b"], ["yes"]],
            {"count": 3, "ratio": 0.5, "sure": False, "plan": "pro", "tags": ["a", "b"], "page": True, "server": "x"},
        ),
        (CHOSEN, [["3"], [], ["yes"], [], [], ["yes"]], {"count": 3, "sure": True, "page": True, "server": "x"}),
    ],
)
def test_answers_are_sent_by_key_and_in_the_type_of_the_field(
    form: JsonMap, answers: list[list[str]], answer: dict[str, FieldValue]
) -> None:
    sent = form_answer(question_of(form), answers)
    assert sent == answer
    assert {key: type(value) for key, value in sent.items()} == {key: type(value) for key, value in answer.items()}


def test_a_reply_without_any_answer_is_refused_though_opencode_would_take_it() -> None:
    for form in (TOOL, elicitation({"key": "n", "type": "string"})):
        question = question_of(form)
        with pytest.raises(InvalidArgument):
            form_answer(question, [NONE] * len(question.asked))
