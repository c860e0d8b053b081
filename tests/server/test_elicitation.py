"""A request becomes a form that any host can show, and a filled form becomes the answer that OpenCode gets."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import ClientCapabilities, ElicitResult

from opencode_mcp.runs.report import PendingRequest
from opencode_mcp.runs.requests import Requests
from opencode_mcp.server.elicitation import REPLIES, SHOWN, can_ask, form_of, give_answer

FIELD_TYPES = {"string", "boolean", "number", "integer", "array"}


class Answered(Requests):
    """Keeps the answers instead of sending them on."""

    def __init__(self) -> None:
        self.answers: list[object] = []

    async def reply_permission(self, request_id: str, directory: str, reply: str, message: str = "") -> None:  # noqa: D102
        self.answers.append((request_id, directory, reply, message))

    async def reply_question(  # noqa: D102
        self, request_id: str, directory: str, answers: Sequence[Sequence[str]]
    ) -> None:
        self.answers.append((request_id, directory, [list(answer) for answer in answers]))


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


def fields_of(request: PendingRequest) -> dict[str, dict[str, Any]]:
    return cast("dict[str, dict[str, Any]]", form_of(request).requested_schema["properties"])


def accept(**content: str | list[str]) -> ElicitResult:
    return ElicitResult(action="accept", content=dict(content))


@pytest.mark.parametrize(
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
    assert message.startswith("OpenCode's subagent ses_1 asks leave for bash: ls")
    assert "“Always” would also allow every bash request that matches ls * or cat *, in every session" in message


def test_what_is_long_is_cut_and_says_so() -> None:
    message = form_of(permission("x" * 10_000)).message
    assert len(message) < SHOWN + 300
    assert "\n… (cut)" in message
    assert "(cut)" not in form_of(permission("x" * SHOWN)).message


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
        schema = form_of(request).requested_schema
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
    assert form_of(request).requested_schema["required"] == ["answer_1"]


def test_a_question_that_takes_only_its_labels_has_no_field_for_own_words() -> None:
    request = asking(item("A", own_words=False))
    assert list(fields_of(request)) == ["answer_1"]
    assert form_of(request).requested_schema["required"] == ["answer_1"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("filled", "answer"),
    [
        (accept(reply="once"), ("per_1", "/p", "once", "")),
        (accept(reply="always", message="ignored"), ("per_1", "/p", "always", "")),
        (accept(reply="reject"), ("per_1", "/p", "reject", "")),
        (accept(reply="reject", message="Do less."), ("per_1", "/p", "reject", "Do less.")),
    ],
)
async def test_a_filled_permission_goes_to_opencode(filled: ElicitResult, answer: object) -> None:
    requests = Answered()
    assert await give_answer(requests, permission(), "/p", filled)
    assert requests.answers == [answer]
    assert filled.content
    assert filled.content["reply"] in REPLIES


@pytest.mark.anyio
@pytest.mark.parametrize(
    "filled",
    [
        ElicitResult(action="decline"),
        ElicitResult(action="cancel"),
        ElicitResult(action="decline", content={"reply": "once", "answer_1": "A"}),
        ElicitResult(action="accept"),
        accept(),
        accept(reply="yes"),
        accept(message="only words"),
    ],
)
async def test_a_form_that_is_not_filled_decides_nothing(filled: ElicitResult) -> None:
    requests = Answered()
    assert not await give_answer(requests, permission(), "/p", filled)
    assert not await give_answer(requests, asking(item("A")), "/p", filled)
    assert requests.answers == []


@pytest.mark.anyio
@pytest.mark.parametrize(
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
async def test_a_filled_question_gives_one_list_for_each(
    items: list[dict[str, Any]], filled: ElicitResult, answers: list[list[str]]
) -> None:
    requests = Answered()
    assert await give_answer(requests, asking(*items), "/p", filled)
    assert requests.answers == [("que_1", "/p", answers)]
