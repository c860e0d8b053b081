"""A request becomes a form that any host can show, and a filled form becomes the answer that OpenCode gets."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import ClientCapabilities, ElicitRequestFormParams, ElicitRequestURLParams, ElicitResult

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import Choice, Condition, Question, QuestionItem
from opencode_mcp.runs.answers.answer_rules import PermissionReply, QuestionReply
from opencode_mcp.runs.outcome.run_report import PendingRequest
from opencode_mcp.runs.requests.answers_as_sent import fit_answers
from opencode_mcp.runs.requests.request_descriptions import describe
from opencode_mcp.server.waiting.elicitation import REPLIES, SHOWN_CHARACTERS, Unanswered, can_ask, form_of, read_form
from tests.harness.each import for_each

FIELD_TYPES = {"string", "boolean", "number", "integer", "array"}

TOKEN = "gh" + "p_" + "a1B2" * 9


def permission(asks: str = "bash: ls", always: Sequence[str] = (), *, subagent: bool = False) -> PendingRequest:
    return PendingRequest(
        request_id="per_1",
        kind="permission",
        session_id="ses_1",
        asks=asks,
        permission="bash",
        always=list(always),
        subagent=subagent,
    )


def item(*labels: str, multiple: bool = False, own_words: bool = True, header: str = "") -> dict[str, Any]:
    options = [{"label": label, "description": f"about {label}"} for label in labels]
    named = {"header": header} if header else {}
    return {"question": "Which?", "options": options, "multiple": multiple, "own_words": own_words, **named}


def asking(*items: dict[str, Any]) -> PendingRequest:
    return PendingRequest(request_id="que_1", kind="question", session_id="ses_1", asks="Which?", questions=list(items))


def schema_of(request: PendingRequest) -> dict[str, Any]:
    form = form_of(request)
    assert isinstance(form, ElicitRequestFormParams)
    return form.requested_schema


def fields_of(request: PendingRequest) -> dict[str, dict[str, Any]]:
    return cast("dict[str, dict[str, Any]]", schema_of(request)["properties"])


def accept(**content: str | float | bool | list[str] | None) -> ElicitResult:
    return ElicitResult(action="accept", content=dict(content))


@for_each(
    ("declared", "can"),
    [
        (None, False),
        ({}, False),
        ({"elicitation": {}}, True),
        ({"elicitation": {"form": {}}}, True),
        ({"elicitation": {"form": {}, "url": {}}}, True),
        ({"elicitation": {"url": {}}}, False),
    ],
)
def test_a_client_that_declares_forms_or_no_mode_at_all_can_be_asked(declared: object, can: bool) -> None:  # noqa: FBT001
    capabilities = None if declared is None else ClientCapabilities.model_validate(declared)
    assert can_ask(capabilities) is can


def test_a_permission_names_the_subagent_and_what_always_would_add() -> None:
    message = form_of(permission(always=["ls *", "cat *"], subagent=True)).message
    assert message.startswith("OpenCode's subagent ses_1 asks permission for bash: ls")
    assert "“Always” would also allow every bash request that matches ls * or cat *, in every session" in message


def test_what_is_long_is_cut_and_says_so() -> None:
    message = form_of(permission("x" * 10_000)).message
    assert len(message) < SHOWN_CHARACTERS + 300
    assert "\n… (7,000 characters are left out here, the end follows)" in message
    assert "left out" not in form_of(permission("x" * SHOWN_CHARACTERS)).message


def test_the_end_of_a_long_command_is_shown() -> None:
    assert "; touch x" in form_of(permission(f"bash: true {'x' * 2 * SHOWN_CHARACTERS}; touch x")).message


@pytest.mark.parametrize(
    "command",
    [
        'echo "-----BEGIN RSA PRIVATE KEY-----"; touch x; echo "-----END RSA PRIVATE KEY-----"',
        "true -----BEGIN PRIVATE KEY-----\ntouch x",
        "export API_KEY=`touch x`",
        "git clone https://u:$(touch${IFS}x)@example.com/y",
        'PASSWORD=\\";touch x;\\"',
    ],
)
def test_a_command_that_looks_like_a_secret_is_not_hidden_from_the_person(command: str) -> None:
    assert "touch" in form_of(permission(f"bash: {command}")).message


def test_a_secret_that_is_nothing_else_is_hidden_from_the_person_too() -> None:
    assert TOKEN not in form_of(permission(f"bash: curl -H 'Authorization: Bearer {TOKEN}' example.com")).message


@given(
    st.lists(
        st.builds(
            item,
            *[st.text(min_size=1, max_size=5)] * 2,
            multiple=st.booleans(),
            own_words=st.booleans(),
            header=st.text(max_size=5),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_every_form_is_one_flat_object_of_plain_fields(items: list[dict[str, Any]]) -> None:
    for request in (permission(), asking(*items)):
        schema = schema_of(request)
        assert schema["type"] == "object"
        assert all(field["type"] in FIELD_TYPES for field in fields_of(request).values())
        assert set(cast("list[str]", schema["required"])) <= fields_of(request).keys()


def test_a_question_keeps_its_header_and_its_labels_with_descriptions() -> None:
    field = fields_of(asking(item("Red", "Blue", header="Colour")))["answer_1"]
    assert field["title"] == "Colour"
    assert field["enum"] == ["Red", "Blue"]
    assert field["description"] == "Which? (Red: about Red; Blue: about Blue)"


def test_a_question_without_labels_is_one_field_for_own_words() -> None:
    request = asking(item())
    assert list(fields_of(request)) == ["answer_1"]
    assert "enum" not in fields_of(request)["answer_1"]
    assert schema_of(request)["required"] == ["answer_1"]


def test_a_question_that_takes_only_its_labels_has_no_field_for_own_words() -> None:
    request = asking(item("A", own_words=False))
    assert list(fields_of(request)) == ["answer_1"]
    assert schema_of(request)["required"] == ["answer_1"]


def test_the_decision_of_a_permission_sorts_first_and_optional_texts_have_a_default() -> None:
    fields = fields_of(permission())
    assert min(fields) == "decision"
    assert fields["decision"]["enum"] == list(REPLIES)
    assert fields["feedback"]["default"] == ""
    assert schema_of(permission())["required"] == ["decision"]


def test_questions_keep_their_order_where_a_host_sorts_the_fields() -> None:
    names = list(fields_of(asking(*[item("A", own_words=False)] * 11)))
    assert names == sorted(names)
    assert len(names) == 11


def test_own_words_beside_labels_say_that_one_of_both_is_required() -> None:
    fields = fields_of(asking(item("Red")))
    assert "required" in fields["answer_1_own_words"]["title"]
    assert fields["answer_1_own_words"]["default"] == ""


@for_each(
    ("filled", "reply"),
    [
        (accept(decision="once"), PermissionReply("once")),
        (accept(decision="always", feedback="ignored"), PermissionReply("always")),
        (accept(decision="reject"), PermissionReply("reject")),
        (accept(decision="reject", feedback="Do less."), PermissionReply("reject", "Do less.")),
        (accept(decision="Allow once"), PermissionReply("once")),
        (accept(decision=" REJECT ", feedback=""), PermissionReply("reject")),
        (accept(decision="once", feedback=None), PermissionReply("once")),
        (accept(answer="Always allow"), PermissionReply("always")),
    ],
)
def test_a_filled_permission_is_read_where_it_can_only_mean_one_thing(filled: ElicitResult, reply: object) -> None:
    assert read_form(permission(), filled) == reply


@for_each(
    ("filled", "reason"),
    [
        (ElicitResult(action="decline"), "declined"),
        (ElicitResult(action="cancel"), "dismissed"),
        (ElicitResult(action="decline", content={"decision": "once", "answer_1": "A"}), "declined"),
        (accept(decision="later"), "decide later"),
        (accept(decision="yes"), "'yes'; it takes one of once, always, reject, later"),
        (accept(feedback="once"), "no decision"),
        (accept(feedback="only words", other="once"), "no decision"),
        (accept(answer="once", other="reject"), "no decision"),
    ],
)
def test_a_form_that_decides_nothing_says_what_happened(filled: ElicitResult, reason: str) -> None:
    read = read_form(permission(), filled)
    assert isinstance(read, Unanswered)
    assert reason in read.reason
    assert not read.ask_again


@pytest.mark.parametrize("filled", [ElicitResult(action="accept"), accept(), accept(decision=None, feedback="")])
def test_a_form_that_is_accepted_without_an_answer_is_asked_again(filled: ElicitResult) -> None:
    for request in (permission(), asking(item("A"))):
        read = read_form(request, filled)
        assert isinstance(read, Unanswered)
        assert read.ask_again


@for_each(
    ("items", "filled", "answers"),
    [
        ([item("A", "B")], accept(answer_1="A"), [["A"]]),
        ([item("A", "B")], accept(answer_1="A", answer_1_own_words="C"), [["C"]]),
        ([item("A", "B")], accept(answer_1_own_words="C"), [["C"]]),
        ([item("A", "B", multiple=True)], accept(answer_1=["A", "B"]), [["A", "B"]]),
        ([item("A", multiple=True)], accept(answer_1=["A"], answer_1_own_words="C"), [["A", "C"]]),
        ([item()], accept(answer_1="words"), [["words"]]),
        ([item("A"), item("B")], accept(answer_1="A", answer_2="B"), [["A"], ["B"]]),
        ([item("A"), item("B")], accept(answer_2="B"), [[], ["B"]]),
    ],
)
def test_a_filled_question_gives_one_list_for_each(
    items: list[dict[str, Any]], filled: ElicitResult, answers: list[list[str]]
) -> None:
    assert read_form(asking(*items), filled) == QuestionReply(answers)


def test_a_form_without_any_of_the_questions_fields_says_which_there_are() -> None:
    read = read_form(asking(item("A")), accept(other="A"))
    assert isinstance(read, Unanswered)
    assert "answer_1" in read.reason


# Typed fields, as forms of OpenCode 2 have them

COLOURS = [Choice(label="Red", value="#f00"), Choice(label="Blue", value="#00f", description="calm")]
PAGE = "https://example.com/login?state=1"


def form(*items: QuestionItem) -> PendingRequest:
    return describe(Question(id="frm_1", session_id="ses_1", title="demo asks", questions=list(items)), subagent=False)


@for_each(
    ("question", "schema", "required"),
    [
        (QuestionItem(question="Name?", kind="text"), {"type": "string"}, True),
        (QuestionItem(question="Name?", kind="text", required=False), {"type": "string", "default": ""}, False),
        (
            QuestionItem(question="Mail?", kind="text", format="email", min_length=3, max_length=9, default="a@b.c"),
            {"type": "string", "format": "email", "minLength": 3, "maxLength": 9, "default": "a@b.c"},
            True,
        ),
        (
            QuestionItem(question="Code?", kind="text", pattern="^x", required=False),
            {"type": "string", "pattern": "^x"},
            False,
        ),
        (QuestionItem(question="Key?", kind="text", format="ipv6"), {"type": "string"}, True),
        (
            QuestionItem(question="Ratio?", kind="number", minimum=0, maximum=1.5, default=0.5),
            {"type": "number", "minimum": 0, "maximum": 1.5, "default": 0.5},
            True,
        ),
        (QuestionItem(question="Count?", kind="integer", default="x"), {"type": "integer"}, True),
        (QuestionItem(question="Sure?", kind="boolean", default=False), {"type": "boolean", "default": False}, True),
        (QuestionItem(question="Open", kind="external", url=PAGE), {"type": "boolean"}, True),
        (
            QuestionItem(question="Colour?", options=COLOURS, custom=False, default="#00f"),
            {"type": "string", "enum": ["Red", "Blue"], "default": "Blue"},
            True,
        ),
        (
            QuestionItem(
                question="Colours?", options=COLOURS, custom=False, multiple=True, max_items=1, default=["#f00"]
            ),
            {
                "type": "array",
                "items": {"type": "string", "enum": ["Red", "Blue"]},
                "maxItems": 1,
                "default": ["Red"],
            },
            True,
        ),
        (
            QuestionItem(question="More?", kind="text", key="b", when=[Condition(key="a", value=True)]),
            {"type": "string", "default": ""},
            False,
        ),
    ],
)
def test_a_typed_field_keeps_its_type_limits_and_default(
    question: QuestionItem,
    schema: dict[str, object],
    required: bool,  # noqa: FBT001 - a column of the table
) -> None:
    request = form(question)
    field = fields_of(request)["answer_1"]
    assert {name: value for name, value in field.items() if name not in {"title", "description"}} == schema
    assert (schema_of(request)["required"] == ["answer_1"]) is required


def test_the_description_of_a_field_says_what_it_takes_and_when_it_is_asked() -> None:
    fields = fields_of(
        form(
            QuestionItem(question="Sure?", key="sure", kind="boolean"),
            QuestionItem(
                question="How many?", key="n", kind="integer", minimum=1, when=[Condition(key="sure", value=True)]
            ),
            QuestionItem(question="Log in", key="page", kind="external", url=PAGE),
            QuestionItem(question="Colour?", key="c", options=COLOURS, custom=False),
        )
    )
    assert [field["description"] for field in fields.values()] == [
        "Sure? (Takes yes or no.)",
        "How many? (Only if 'Sure?' is 'true'. Takes a whole number of at least 1.)",
        f"Log in (Open {PAGE} and confirm it here.)",
        "Colour? (Red: ; Blue: calm)",
    ]


def test_an_optional_choice_does_not_mention_a_required_answer() -> None:
    fields = fields_of(form(QuestionItem(question="Colour?", options=COLOURS, required=False)))
    assert fields["answer_1_own_words"]["title"] == "Or in your own words"


@for_each(
    ("question", "filled", "answers"),
    [
        (QuestionItem(question="?", kind="boolean"), accept(answer_1=False), [["false"]]),
        (QuestionItem(question="?", kind="boolean"), accept(answer_1=True), [["true"]]),
        (QuestionItem(question="?", kind="integer"), accept(answer_1=0), [["0"]]),
        (QuestionItem(question="?", kind="number"), accept(answer_1=0.5), [["0.5"]]),
        (QuestionItem(question="?", kind="number"), accept(answer_1="0.5"), [["0.5"]]),
        (QuestionItem(question="?", kind="external", url=PAGE), accept(answer_1=True), [["true"]]),
        (QuestionItem(question="?", options=COLOURS), accept(answer_1="Red"), [["#f00"]]),
    ],
)
def test_a_filled_typed_field_is_read_as_text(
    question: QuestionItem, filled: ElicitResult, answers: list[list[str]]
) -> None:
    reply = read_form(form(question), filled)
    assert isinstance(reply, QuestionReply)
    assert reply.answers == answers
    assert reply.whole_form


def test_options_of_one_label_are_distinguished() -> None:
    request = form(QuestionItem(question="?", options=[Choice(label="A", value="1"), Choice(label="A", value="2")]))
    assert fields_of(request)["answer_1"]["enum"] == ["A", "A (2)"]
    assert read_form(request, accept(answer_1="A (2)")) == QuestionReply([["2"]])


FORM_AND_URL = ClientCapabilities.model_validate({"elicitation": {"form": {}, "url": {}}})
FORM_ONLY = ClientCapabilities.model_validate({"elicitation": {}})


def test_a_page_to_open_is_shown_by_a_client_that_opens_pages() -> None:
    request = form(QuestionItem(question="Log in", kind="external", url=PAGE))
    shown = form_of(request, FORM_AND_URL)
    assert isinstance(shown, ElicitRequestURLParams)
    assert (shown.url, shown.elicitation_id) == (PAGE, "frm_1")
    assert read_form(request, ElicitResult(action="accept"), FORM_AND_URL) == QuestionReply([["true"]])
    declined = read_form(request, ElicitResult(action="decline"), FORM_AND_URL)
    assert isinstance(declined, Unanswered)


@for_each(
    ("items", "capabilities"),
    [
        ([QuestionItem(question="Log in", kind="external", url=PAGE)], FORM_ONLY),
        ([QuestionItem(question="Log in", kind="external", url=PAGE)], None),
        ([QuestionItem(question="Log in", kind="external", url="javascript:alert(1)")], FORM_AND_URL),
        ([QuestionItem(question="Log in", kind="external", url="file:///etc/passwd")], FORM_AND_URL),
        ([QuestionItem(question="Log in", kind="external", url="https://a b")], FORM_AND_URL),
        ([QuestionItem(question="Log in", kind="external", url="https://a\x00b")], FORM_AND_URL),
        ([QuestionItem(question="Log in", kind="external", url="https:///a")], FORM_AND_URL),
        ([QuestionItem(question="Name?", kind="text")], FORM_AND_URL),
        (
            [QuestionItem(question="Log in", kind="external", url=PAGE), QuestionItem(question="Name?", kind="text")],
            FORM_AND_URL,
        ),
    ],
)
def test_anything_else_is_shown_as_a_form(items: list[QuestionItem], capabilities: ClientCapabilities | None) -> None:
    request = form(*items)
    assert isinstance(form_of(request, capabilities), ElicitRequestFormParams)
    empty = read_form(request, ElicitResult(action="accept"), capabilities)
    assert isinstance(empty, Unanswered)
    assert empty.ask_again


def test_an_address_with_a_secret_is_not_shown_whole_and_says_so() -> None:
    url = f"https://example.com/?access_token={TOKEN}"
    description = fields_of(form(QuestionItem(question="Log in", kind="external", url=url)))["answer_1"]["description"]
    assert TOKEN not in description
    assert "A part of the address is hidden here" in description


def test_always_of_opencode_2_says_that_it_is_permanent_and_answers_other_sessions() -> None:
    request = permission(always=["ls"]).model_copy(update={"always_lasts": "for_ever"})
    message = form_of(request).message
    assert "in every session of the project permanently, since OpenCode saves it" in message
    assert "requests that are open in other sessions are answered too" in message


def _is_single(value: object) -> bool:
    return not isinstance(value, list)


SMALL = st.none() | st.integers(0, 5)
LIMIT = st.none() | st.floats(-5, 5)
VALUE = st.text(max_size=5) | st.booleans() | st.floats(-5, 5) | st.lists(st.text(max_size=3), max_size=2)
TYPED = st.builds(
    QuestionItem,
    question=st.text(max_size=5),
    key=st.sampled_from(["a", "b", "c"]),
    kind=st.sampled_from(["choice", "text", "number", "integer", "boolean", "external"]),
    options=st.lists(st.builds(Choice, label=st.text(max_size=3), value=st.text(max_size=3)), max_size=3),
    multiple=st.booleans(),
    custom=st.booleans(),
    required=st.booleans(),
    format=st.sampled_from(["", "email", "uri", "date", "date-time", "new"]),
    pattern=st.text(max_size=3),
    min_length=SMALL,
    max_length=SMALL,
    minimum=LIMIT,
    maximum=LIMIT,
    min_items=SMALL,
    max_items=SMALL,
    default=st.none() | VALUE,
    url=st.text(max_size=5) | st.just(PAGE),
    when=st.lists(st.builds(Condition, key=st.sampled_from(["a", "b"]), value=VALUE.filter(_is_single)), max_size=1),
)


@given(st.lists(TYPED, min_size=1, max_size=3), st.lists(st.none() | VALUE, min_size=3, max_size=3))
def test_any_form_is_flat_and_any_filled_form_is_answered_or_refused(
    items: list[QuestionItem], values: list[str | float | bool | list[str] | None]
) -> None:
    request = form(*items)
    schema = schema_of(request)
    assert all(field["type"] in FIELD_TYPES for field in fields_of(request).values())
    assert set(schema["required"]) <= fields_of(request).keys()
    assert json.loads(json.dumps(schema)) == schema
    names = [f"answer_{number}" for number in range(1, len(items) + 1)]
    reply = read_form(request, accept(**dict(zip(names, values, strict=False))))
    if isinstance(reply, QuestionReply) and reply.answers is not None:
        question = Question(id="frm_1", session_id="ses_1", questions=items)
        with suppress(InvalidArgument):
            assert any(fit_answers(question, reply.answers, whole_form=reply.whole_form))
