"""Slash commands come to the text that OpenCode makes of them; what it runs and attaches is found in that text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.workspace.configuration.command_template import COMMAND_CHARACTERS, expand, mentions, shell_lines
from tests.harness.each import for_each

EXPANSIONS = [
    ("Do it.", "", "Do it."),
    ("Do it.", "now", "Do it.\n\nnow"),
    ("Do it.", " \ufeff", "Do it."),
    ("All: $ARGUMENTS.", "a  b", "All: a  b."),
    ("$1|$2", "a b c d", "a|b c d"),
    ("$2|$1", "a b c", "b c|a"),
    ("$1|$3", 'a "b c" d e', "a|d e"),
    ("$1 $1", "a b", "a b a b"),
    ("$2", "a", ""),
    ("<$0>", "a b", "<b>"),
    ("<$0|$1>", "a b", "<undefined|a b>"),
    ("$007", "a b c d e f g h", "g h"),
    ("<$1> $ARGUMENTS", "'it is' x", "<it is x> 'it is' x"),
    ("<$1>", "$ARGUMENTS", "<$ARGUMENTS>"),
    ("<$1> <$2>", "[Image 1] x", "<[Image 1]> <x>"),
    ("a $ARGUMENTS b", "$&", "a $ARGUMENTS b"),
    ("a $ARGUMENTS b", "$$", "a $ b"),
    ("a $ARGUMENTS b", "<$`>", "a <a > b"),
    ("a $ARGUMENTS b", "<$'>", "a < b> b"),
    ("a $ARGUMENTS b", "$1", "a $1 b"),
    ("See !`git log -1 $ARGUMENTS`", "; touch x", "See !`git log -1 ; touch x`"),
]
"""Templates and arguments, and what OpenCode 1.18 makes of them."""


@for_each(("template", "arguments", "text"), EXPANSIONS)
def test_arguments_go_into_their_places(template: str, arguments: str, text: str) -> None:
    assert expand(template, arguments) == text


@for_each(
    ("text", "names"),
    [
        ("see @docs/a.md, and @b.txt.", ["docs/a.md", "b.txt"]),
        ("@../up @~/home @/etc/passwd", ["../up", "~/home", "/etc/passwd"]),
        ("mail me@example.com `@no`", []),
        ("\u00e9@../up and \u4e2d@x", ["../up", "x"]),
        ("@", []),
        ("@a @a", ["a"]),
        ("@\u2003gap", []),
        ("@a\x1cb", ["a\x1cb"]),
        ("@!`pwd`/up", ["/up"]),
        ("a!`x`@/etc/passwd", ["/etc/passwd"]),
        ("@docs/../../up", ["docs/"]),
    ],
)
def test_what_is_mentioned_is_found_as_opencode_finds_it(text: str, names: list[str]) -> None:
    assert mentions(text) == names


def test_shell_lines_are_found_also_where_they_span_lines() -> None:
    assert shell_lines("a !`one` `no` !`` !`two\nthree` !`") == ["one", "two\nthree"]


@pytest.mark.parametrize(
    ("template", "arguments"),
    [
        ("x" * 1000 + "$ARGUMENTS" * 100, "$`" * 10_000),
        ("$1" * 1000, "a" * 2000),
        ("$ARGUMENTS" * 1000, "a" * 2000),
        ("$1" * 500, "$ARGUMENTS" * 500),
        ("$ARGUMENTS", "a" * (COMMAND_CHARACTERS + 1)),
    ],
)
def test_a_text_that_would_be_too_long_is_refused_before_it_is_made(template: str, arguments: str) -> None:
    with pytest.raises(InvalidArgument, match="more than"):
        expand(template, arguments)


@given(st.text("$ARGUMENTS123 '\"`@!ab&\u2003\\", max_size=60), st.text("$ARGUMENTS1 '\"`@!ab&\n", max_size=60))
def test_any_template_takes_any_arguments(template: str, arguments: str) -> None:
    text = expand(template, arguments)
    assert len(text) <= COMMAND_CHARACTERS
    assert all(name in text.replace("`", "") or "!" in text for name in mentions(text))


@pytest.mark.parametrize("text", ["@" * 500_000, "!`" * 500_000, '"' * 999_999, "'\"" * 400_000, "[Image " * 100_000])
def test_a_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    mentions(text)
    shell_lines(text)
    assert expand("$1", text[: COMMAND_CHARACTERS // 3])
    assert len(expand("$" + "9" * 100_000, text[:1000])) < COMMAND_CHARACTERS
