"""Secrets in a text are found by their form and the text around them; other texts stay readable."""

import itertools
import re
import time
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.secrets import redact_text
from opencode_mcp.secrets.own_passwords import MARK
from opencode_mcp.secrets.redact_text import redacted_text
from tests.harness.each import for_each
from tests.harness.effort import THOROUGH
from tests.secrets.secret_corpus import KEYS, LOOK_ALIKES, PLACED, TOKEN

SETTINGS = ("{}", "key {} here", '"{}"', "x={}", "https://host/?q={}", '{{"a": "line\\n{}"}}', "({}),", "`{}`")
IN_A_PATH = "https://host/{}"
LONG = 200_000 if THOROUGH else 60_000
LIMIT = 20.0
"""Seconds: far more than a linear search takes, and far less than any other."""
HOSTILE = (
    *(
        "sk-",
        "sk_live_",
        "gh" + "p_",
        "eyJaaaaaaaa.",
        "eyJaaaaaaaa",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "AKIA",
        "/bot",
        "x",
    ),
    *("token=", "token: ", "token:token", "a://", "a://b:", "a.b-", "password='", 'password="', "--token ", "-u a:"),
    *("bearer ", "basic  ", "Cookie: a1 ", "?sig=", "&sig=a", "%20", "hooks.slack.com/services/", "KEY=a1=", "=", "'"),
    *(
        "-----END PRIVATE KEY-----",
        "A1b2\n-----END PRIVATE KEY-----",
        "a" * 79 + ".",
        "T0KEN=aaaaaa1:",
        "\\",
        "1",
        "\n",
    ),
)


@for_each("service", KEYS)
def test_a_key_of_a_well_known_service_is_hidden_wherever_it_is(service: str) -> None:
    key = KEYS[service]
    for setting in SETTINGS:
        text = setting.format(key)
        assert redacted_text(text) == setting.format(MARK), text


@for_each("service", ["openai", "github classic", "gitlab", "slack bot", "telegram", "jwt"])
def test_a_key_with_a_mark_in_it_is_also_hidden_in_a_path(service: str) -> None:
    assert redacted_text(IN_A_PATH.format(KEYS[service])) == IN_A_PATH.format(MARK)


@for_each("place", PLACED)
def test_a_secret_is_hidden_by_its_place(place: str) -> None:
    text, secret = PLACED[place]
    hidden = redacted_text(text)
    assert MARK in hidden
    assert secret not in hidden or secret in {"sig", "AccountKey="}
    assert redacted_text(hidden) == hidden


def test_only_the_secret_is_hidden() -> None:
    assert redacted_text(f"a && export TOKEN={TOKEN} && b") == f"a && export TOKEN={MARK} && b"
    assert redacted_text(f"x?sv=1&sig={TOKEN}%3D&se=2") == f"x?sv=1&sig={MARK}&se=2"
    assert redacted_text(f'{{"apiKey": "{TOKEN}", "n": 1}}') == f'{{"apiKey": "{MARK}", "n": 1}}'
    assert redacted_text(f"tool --api-key={TOKEN} --name x") == f"tool --api-key={MARK} --name x"
    assert redacted_text(f"Authorization: Bearer {TOKEN} sent") == f"Authorization: Bearer {MARK} sent"


@for_each("text", LOOK_ALIKES)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redacted_text(text) == text


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len(KEYS) + len(PLACED) >= 100
    assert len(set(LOOK_ALIKES)) >= 100


@for_each(("piece", "strict"), itertools.product(HOSTILE, [False, True]))
def test_a_long_text_of_any_kind_takes_little_time(piece: str, strict: bool) -> None:  # noqa: FBT001
    text = piece * (LONG // len(piece))
    began = time.process_time()
    redacted_text(text, strict=strict)
    assert time.process_time() - began < LIMIT


@for_each("before", ["x", "ses_", "9-", "/a/"])
def test_a_token_of_this_bridge_is_hidden_inside_of_a_word(before: str) -> None:
    assert redacted_text(f"method {before}ocmcp_{'aB3_' * 11}") == f"method {before}{MARK}"


@for_each("before", ["x", "ses_", "9-", "a.b-"])
def test_an_access_token_is_hidden_inside_of_a_word(before: str) -> None:
    assert KEYS["jwt"].rpartition(".")[0] not in redacted_text(f"method {before}{KEYS['jwt']} y")
    assert redacted_text(f"method {before}{KEYS['jwt']} y").endswith(f"{MARK} y")
    assert redacted_text(f'{{"a": "line\\n{before}{KEYS["jwt"]}"}}').startswith('{"a": "line\\n')


def test_strictly_whatever_is_given_to_a_secrets_name_is_hidden() -> None:
    assert redacted_text("token=abc def", strict=True) == f"token={MARK} def"
    assert redacted_text("the key was pressed", strict=True) == "the key was pressed"


@given(text=st.from_regex(redact_text.SHORT_WORD, fullmatch=True))
def test_no_pattern_finds_anything_in_a_short_word(text: str) -> None:
    with patch.object(redact_text, "SHORT_WORD", re.compile("(?!)")):
        assert redacted_text(text) == text
