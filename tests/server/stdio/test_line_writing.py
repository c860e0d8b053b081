"""Each message is written as one line of valid Unicode, without the bridge's own password."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.secrets.own_passwords import FRAGMENT_CHARACTERS, KNOWN_SECRETS, MARK, KnownSecrets
from opencode_mcp.server.stdio import line_writing
from opencode_mcp.server.stdio.line_writing import line_of
from tests.harness.each import for_each

PASSWORD = "dUmmY-0123456789-abcdefghijklmnop-" + "x" * 9
ODD = 'o"dd\\pass/word é'


@given(
    st.recursive(
        st.text() | st.text("\ud83d\ude00a"), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_text_goes_out_in_one_line(value: object) -> None:
    line = line_of({"jsonrpc": "2.0", "method": "m", "params": {"x": value}}).decode()
    assert len(line.splitlines()) == 1
    assert line.endswith("\n")
    json.loads(line)


@for_each(
    ("text", "sent"),
    [
        ("half \ud83d", "half \ufffd"),
        ("\udc00 half", "\ufffd half"),
        ("\ud83d\ude00", "\U0001f600"),
        ("caf\udce9.txt", "caf\ufffd.txt"),
        ("a\u2028b\u2029c\x85d", "a\u2028b\u2029c\x85d"),
        ("é 日本", "é 日本"),
    ],
)
def test_half_pairs_are_replaced_and_everything_else_arrives(text: str, sent: str) -> None:
    assert json.loads(line_of({"x": text})) == {"x": sent}


def test_numbers_that_json_does_not_have_become_null() -> None:
    assert json.loads(line_of({"x": [float("nan"), float("inf"), 1.5]})) == {"x": [None, None, 1.5]}


@pytest.mark.parametrize("password", [PASSWORD, ODD])
def test_a_password_that_opens_a_server_never_goes_out(password: str) -> None:
    Endpoint(url="http://127.0.0.1:1", password=password)
    basic = base64.b64encode(f"opencode:{password}".encode()).decode()
    inside = json.dumps({"env": password})
    for text in (password, f"X={password}\n", inside, json.dumps(inside), quote(password, safe=""), f"Basic {basic}"):
        output = line_of({"id": 1, "result": {"a": [text], text: 1}}).decode()
        assert MARK in output
        for form in (password, json.dumps(password)[1:-1], basic):
            assert form not in output


@for_each("length", range(FRAGMENT_CHARACTERS, len(PASSWORD)))
def test_a_long_password_is_also_hidden_where_it_is_cut(length: int) -> None:
    secrets = KnownSecrets()
    secrets.add(PASSWORD)
    assert secrets.redact(f"it is {PASSWORD[:length]}… and") == f"it is {MARK}… and"
    assert secrets.redact(f"…{PASSWORD[-length:]} and") == f"…{MARK} and"


def test_a_password_that_is_a_word_of_the_protocol_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = KnownSecrets()
    secrets.add("tools/call")
    monkeypatch.setattr(line_writing, "KNOWN_SECRETS", secrets)
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"x": "the tools/call"}}
    assert json.loads(line_of(message)) == {**message, "params": {"x": f"the {MARK}"}}


def test_a_password_in_the_data_of_a_result_is_hidden_whatever_its_field_is_called() -> None:
    KNOWN_SECRETS.add(PASSWORD)
    data = {"id": PASSWORD, "rows": [{"type": PASSWORD, "method": f"x{PASSWORD}"}]}
    message = {"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": data}}
    assert PASSWORD not in line_of(message).decode()


def test_a_short_password_takes_no_words_with_it() -> None:
    secrets = KnownSecrets()
    secrets.add("a")
    assert secrets.redact("a banana") == "a banana"
