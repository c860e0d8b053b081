"""Secrets are hidden wherever they stand, and nothing else is."""

import json
from collections.abc import Mapping
from typing import cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opencode_mcp.secrets.own_passwords import MARK
from opencode_mcp.secrets.redact_data import redacted_data, secrets_in
from opencode_mcp.secrets.redact_text import redacted_text
from opencode_mcp.secrets.secret_names import is_secret
from tests.harness.each import for_each

SECRET = "s3cr3t-value"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@for_each(
    "name",
    [
        *("apiKey", "api_key", "APIKEY", "key", "token", "authToken", "OPENAI_API_KEY", "GITHUB_TOKEN", "password"),
        *("Authorization", "x-api-key", "set-cookie", "client_secret", "secretAccessKey", "refresh", "access"),
        *("oauthState", "ticket", "privateKey", "credentials", "db.password"),
    ],
)
def test_what_goes_by_a_secrets_name_is_hidden(name: str) -> None:
    assert redacted_data({name: SECRET}) == {name: MARK}


@for_each(
    "name",
    [
        *("title", "tokens", "sortKey", "keybinds", "authorizationUrl", "token_endpoint", "credentialID", "tokenType"),
        *("monkey", "accessible", "author", "passage", "secretary", "keyboard", "username", "path", "code", ""),
    ],
)
def test_a_text_that_only_resembles_one_is_shown(name: str) -> None:
    assert redacted_data({name: SECRET}) == {name: SECRET}


@for_each("value", [5, True, None, "", [], {}])
def test_what_is_no_text_is_no_secret(value: object) -> None:
    assert redacted_data({"token": value}) == {"token": value}


def test_everything_below_a_secrets_name_is_hidden() -> None:
    assert redacted_data({"credentials": {"a": ["x", {"b": "y"}], "n": 1}}) == {
        "credentials": {"a": [MARK, {"b": MARK}], "n": 1}
    }


def test_a_schema_that_describes_a_secret_is_shown() -> None:
    schema = {"properties": {"token": {"type": "string", "description": "the token"}, "key": {"enum": ["a", "b"]}}}
    assert redacted_data(schema) == schema


@pytest.mark.parametrize("name", ["headers", "env", "environment"])
def test_headers_and_variables_are_hidden_whatever_their_names(name: str) -> None:
    assert redacted_data({name: {"X-Anything": SECRET}}) == {name: {"X-Anything": MARK}}


def test_the_names_of_variables_are_shown() -> None:
    assert redacted_data({"env": ["ANTHROPIC_API_KEY"]}) == {"env": ["ANTHROPIC_API_KEY"]}


def test_of_a_providers_options_only_harmless_ones_are_shown() -> None:
    options = {"baseURL": "https://host/v1", "region": "eu", "whatever": SECRET, "timeout": 5, "deep": {"region": "eu"}}
    assert redacted_data({"options": options}) == {
        "options": {
            "baseURL": "https://host/v1",
            "region": "eu",
            "whatever": MARK,
            "timeout": 5,
            "deep": {"region": MARK},
        }
    }


def test_the_options_of_a_question_are_shown() -> None:
    question = {"options": [{"label": "Red", "description": "a colour"}]}
    assert redacted_data(question) == question


def test_the_options_of_an_agent_in_the_second_api_are_hidden() -> None:
    body = {"whatever": SECRET, "region": "eu", "deep": {"a": SECRET}}
    assert redacted_data({"data": [{"id": "a", "request": {"headers": {"X": SECRET}, "body": body}}]}) == {
        "data": [
            {"id": "a", "request": {"headers": {"X": MARK}, "body": {**body, "whatever": MARK, "deep": {"a": MARK}}}}
        ]
    }


def test_a_plugins_options_are_hidden() -> None:
    assert redacted_data({"plugin": ["one", ["two", {"anything": SECRET}]]}) == {
        "plugin": ["one", ["two", {"anything": MARK}]]
    }


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["npx", "--api-key", SECRET, "x"], ["npx", "--api-key", MARK, "x"]),
        (["npx", f"--token={SECRET}", "x"], ["npx", f"--token={MARK}", "x"]),
        (["docker", "-e", f"GH_TOKEN={SECRET}"], ["docker", "-e", f"GH_TOKEN={MARK}"]),
        (["echo", "--name", "plain", "a=b"], ["echo", "--name", "plain", "a=b"]),
    ],
)
def test_a_command_line_hides_what_it_gives_to_secret_options(command: list[str], shown: list[str]) -> None:
    assert redacted_data({"command": command}) == {"command": shown}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://user:{SECRET}@host/x", f"https://{MARK}@host/x"),
        (f"https://host/x?api_key={SECRET}&a=b", f"https://host/x?api_key={MARK}&a=b"),
        (
            "https://host/a?response_type=code&client_id=x&state=y",
            "https://host/a?response_type=code&client_id=x&state=y",
        ),
        (f"https://user:{SECRET}@[broken", f"https://{MARK}@[broken"),
        (f"git clone https://user:{SECRET}@host/x", f"git clone https://{MARK}@host/x"),
    ],
)
def test_an_address_loses_its_password_and_its_keys(url: str, shown: str) -> None:
    assert redacted_data({"url": url}) == {"url": shown}


@pytest.mark.parametrize("text", ["Authorization: Bearer abc123def456ghi", "authorization: basic dXNlcjpwYXNzd29yZDE="])
def test_an_authorization_in_a_text_is_hidden(text: str) -> None:
    assert redacted_text(text).endswith(f" {MARK}")


@pytest.mark.parametrize("text", ["sk-learn is a library", "a basic authentication scheme", "task-force-of-the-people"])
def test_plain_words_are_shown(text: str) -> None:
    assert redacted_text(text) == text


def test_a_known_secret_is_hidden_in_the_middle_of_a_text() -> None:
    assert redacted_data({"output": f"<{SECRET}>"}, {SECRET}) == {"output": f"<{MARK}>"}


def test_a_short_known_secret_does_not_take_words_with_it() -> None:
    assert redacted_data({"text": "a banana"}, {"a"}) == {"text": "a banana"}


def test_the_secrets_of_arguments_are_collected() -> None:
    arguments = {"providerID": "x", "body": {"type": "api", "key": SECRET}, "headers": {"X": "y"}}
    assert secrets_in(arguments) == {SECRET, "y"}


@given(JSON)
def test_hiding_keeps_the_shape_and_does_nothing_twice(value: object) -> None:
    once = redacted_data(value)
    assert redacted_data(once) == once
    assert shape(once) == shape(value)


@given(JSON, st.text(min_size=8, alphabet="abcdef0123456789"))
def test_a_known_secret_is_nowhere_left(value: object, secret: str) -> None:
    # A number is no text, and may happen to hold these digits.
    assume(not (secret.isdecimal() and secret in texts(value)))
    hidden = redacted_data({"it": value, "also": f"x{secret}y"}, {secret})
    assert secret not in texts(hidden)


def shape(value: object) -> object:
    match value:
        case Mapping():
            return {key: shape(item) for key, item in cast("Mapping[str, object]", value).items()}
        case list():
            return [shape(item) for item in cast("list[object]", value)]
        case _:
            return type(value)


def texts(value: object) -> str:
    match value:
        case Mapping():
            return " ".join(texts(item) for item in cast("Mapping[str, object]", value).values())
        case list():
            return " ".join(texts(item) for item in cast("list[object]", value))
        case _:
            return str(value)


def test_names_are_checked_as_words() -> None:
    assert is_secret("HTTPAuthorizationHeader")
    assert not is_secret("Tokenizer")
    assert json.dumps(redacted_data({"Tokenizer": "x"})) == '{"Tokenizer": "x"}'


OF_OPENCODE_2: list[tuple[object, object]] = [
    (
        {"settings": {"baseURL": "http://m/v1", "apiKey": "k", "pat": "p"}, "request": {"headers": {"x": "h"}}},
        {"settings": {"baseURL": "http://m/v1", "apiKey": MARK, "pat": MARK}, "request": {"headers": {"x": MARK}}},
    ),
    (
        {"id": "cred_1", "label": "mine", "value": {"type": "key", "key": "sk-1"}},
        {"id": "cred_1", "label": "mine", "value": {"type": "key", "key": MARK}},
    ),
    (
        {"value": {"type": "oauth", "refresh": "r", "access": "a", "expires": 1}},
        {"value": {"type": "oauth", "refresh": MARK, "access": MARK, "expires": 1}},
    ),
    ({"ticket": "t", "expires_in": 60}, {"ticket": MARK, "expires_in": 60}),
    ({"token": "t"}, {"token": MARK}),
    ({"data": [{"key": "tone", "value": "short"}]}, {"data": [{"key": "tone", "value": "short"}]}),
    ([{"key": "apiKey", "value": "sk-1"}], [{"key": "apiKey", "value": MARK}]),
    (
        {"fields": [{"key": "q0", "title": "Which?", "when": [{"key": "q1", "op": "eq", "value": "x"}]}]},
        {"fields": [{"key": "q0", "title": "Which?", "when": [{"key": "q1", "op": "eq", "value": "x"}]}]},
    ),
]


@for_each(("value", "shown"), OF_OPENCODE_2)
def test_replies_of_opencode_2_show_names_and_hide_secrets(value: object, shown: object) -> None:
    assert redacted_data(value) == shown
