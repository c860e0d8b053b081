"""A schema in the text of a prompt, and the answer that is read out of a text."""

import json

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.opencode.vocabulary.submission import PromptSubmission
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.runs.output_schema.schema_in_prompt import (
    corrected_prompt,
    correction_id,
    correction_text,
    parse_answer,
    schema_of,
    with_schema_in_text,
)
from tests.harness.each import for_each

SCHEMA = {"type": "object", "properties": {"größe": {"type": "integer"}}, "required": ["größe"]}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def message_with(metadata: object) -> Message:
    return Message.read({"info": {"id": "msg_1", "sessionID": "ses_1", "role": "user", "metadata": metadata}})


def test_the_schema_follows_the_prompt_in_plain_words_and_is_in_its_metadata() -> None:
    sent = with_schema_in_text(PromptSubmission(message_id="msg_1", text="Measure it.", output_schema=SCHEMA))
    assert sent.text.startswith("Measure it.\n\nGive the final answer as one JSON value")
    assert json.loads(sent.text.split("```json\n")[1].removesuffix("```")) == SCHEMA
    assert sent.output_schema is None
    assert schema_of(message_with(sent.metadata)) == SCHEMA


def test_a_prompt_without_a_schema_is_sent_as_it_is() -> None:
    prompt = PromptSubmission(message_id="msg_1", text="Measure it.")
    assert with_schema_in_text(prompt) is prompt


@for_each(
    "metadata", [None, 1, [], {}, {"opencode-mcp": None}, {"opencode-mcp": {"output_schema": "object"}}, {"other": {}}]
)
def test_metadata_of_another_form_has_no_schema(metadata: object) -> None:
    assert schema_of(message_with(metadata)) is None


@for_each(
    ("text", "value", "is_whole_text"),
    [
        ('{"a": 1}', {"a": 1}, True),
        ('\n {"a": 1}\n', {"a": 1}, True),
        ('```json\n{"a": 1}\n```', {"a": 1}, True),
        ('```\n{"a": 1}\n```\n', {"a": 1}, True),
        ('```json\n{"a": 1}', {"a": 1}, True),
        ('Here it is:\n\n```json\n{"a": 1}\n```\nBest wishes', {"a": 1}, False),
        ("[1, 2]", [1, 2], True),
        ("null", None, True),
    ],
)
def test_the_answer_is_the_whole_text_or_its_only_fenced_block(text: str, value: object, is_whole_text: object) -> None:
    found = parse_answer(text)
    assert (found.value, found.problem, found.is_whole_text) == (value, "", is_whole_text)


@for_each(
    ("text", "problem"),
    [
        ("I would rather talk.", "not JSON"),
        ('The answer is {"a": 1}', "not JSON"),
        ("", "not JSON"),
        ("NaN", "not JSON"),
        ("[" * 5000, "not JSON"),
        ("```json\n{}\n```\nor\n```json\n[]\n```", "several fenced blocks"),
    ],
)
def test_an_answer_that_is_no_json_has_a_reason(text: str, problem: str) -> None:
    found = parse_answer(text)
    assert problem in found.problem
    assert found.value is None


@given(JSON_VALUES)
def test_every_json_value_is_read_with_and_without_a_fence(value: object) -> None:
    written = json.dumps(value)
    assert parse_answer(written).value == value
    assert parse_answer(f"```json\n{written}\n```").value == value


@given(st.text(alphabet="`\n {}[]a1,\"'", max_size=200))
def test_any_text_is_read_or_has_a_reason(text: str) -> None:
    found = parse_answer(text)
    assert found.problem or found.value is not None or "null" in text


def test_the_correction_is_found_by_the_id_of_the_prompt_and_the_other_way_round() -> None:
    assert corrected_prompt(correction_id("msg_1")) == "msg_1"
    assert corrected_prompt("msg_1") == "msg_1"
    assert correction_id("msg_1").startswith("msg_1")
    assert "$.a: 'x' is not" in correction_text("$.a: 'x' is not of type 'integer'.")
