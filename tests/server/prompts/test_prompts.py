"""Prompts: laws over our own, and what becomes of what a person typed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import GetPromptResult, TextContent

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Command
from opencode_mcp.server.prompts.command_prompts import argument_line, command_filled, command_listed
from opencode_mcp.server.prompts.prompts import OWN, PLACE, PromptSpec, own_prompt
from opencode_mcp.server.resources.completions import SOURCES
from opencode_mcp.server.tools import TOOLS
from tests.harness.each import for_each

IN_OWN_WORDS = {"task"}
OPENCODE_SPLITS = re.compile(r"""\[Image\s+\d+\]|"[^"]*"|'[^']*'|[^\s"']+""", re.IGNORECASE)
"""Pattern with which OpenCode 1.18 splits the arguments of a command."""

every = pytest.mark.parametrize("spec", OWN, ids=[spec.name for spec in OWN])


def text_of(prompt: GetPromptResult) -> str:
    (message,) = prompt.messages
    assert isinstance(message.content, TextContent)
    return message.content.text


@every
def test_each_is_described_to_a_person_in_few_words(spec: PromptSpec) -> None:
    listed = spec.listed()
    assert 0 < len(listed.title or "") <= 30
    assert 10 < len(listed.description or "") <= 100
    assert re.fullmatch("[a-z_]+", listed.name)
    assert all(argument.description for argument in listed.arguments or [])


@every
def test_the_argument_goes_somewhere_and_each_place_is_its(spec: PromptSpec) -> None:
    assert set(PLACE.findall(spec.text)) == {spec.argument}
    assert [(argument.name, argument.required) for argument in spec.listed().arguments or []] == [(spec.argument, True)]


@every
def test_the_argument_can_be_completed_unless_a_person_says_it_in_own_words(spec: PromptSpec) -> None:
    assert spec.argument in SOURCES.keys() | IN_OWN_WORDS


@every
def test_a_prompt_names_only_tools_that_there_are(spec: PromptSpec) -> None:
    named = set(re.findall(r"opencode_\w+", spec.text))
    assert named
    assert named <= {tool.name for tool in TOOLS}


@every
def test_what_is_given_leaves_no_place_behind(spec: PromptSpec) -> None:
    text = text_of(spec.filled({spec.argument: "x"}))
    assert not PLACE.search(text)
    assert text == text.strip()


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_value_is_put_in_as_it_is_whatever_it_holds(session: str, focus: str) -> None:
    review = own_prompt("review_session")
    assert review is not None
    text = text_of(review.filled({"session": f"a{session} {focus}z"}))
    assert f"what to look at most if I say so: a{session} {focus}z\n" in text


@every
def test_each_asks_for_what_a_host_has_cut_off_that_splits_at_spaces(spec: PromptSpec) -> None:
    text = text_of(spec.filled({spec.argument: "fix"}))
    assert re.search("If (it|the task) is cut off, ask me for all of it", text)


def test_a_task_is_one_argument_and_what_names_no_place_agent_or_model_stays_a_part_of_it() -> None:
    delegate = own_prompt("delegate")
    assert delegate is not None
    assert delegate.argument == "task"
    text = text_of(delegate.filled({"task": "fix the login bug"}))
    assert text.endswith("The task: fix the login bug")
    assert "Whatever is none of these is a part of the task." in text


@pytest.mark.parametrize("name", ["review_session", "continue_session", "hand_over"])
def test_words_in_the_place_of_a_session_are_reported_as_text(name: str) -> None:
    spec = own_prompt(name)
    assert spec is not None
    text = text_of(spec.filled({"session": "what changed yesterday"}))
    assert ": what changed yesterday\n" in text
    assert "If it contains no session id (ses_...), all of it describes what I want: tell me so" in text


def test_a_word_in_the_place_of_an_agent_is_reported_as_text() -> None:
    hand_over = own_prompt("hand_over")
    assert hand_over is not None
    text = text_of(hand_over.filled({"session": "ses_1 repair the tests"}))
    assert "If the word after the session's id is none of the agents" in text
    assert "tell me so, and ask me which agent is meant" in text


def test_there_is_no_prompt_of_another_name() -> None:
    assert own_prompt("nothing") is None


# OpenCode's commands


def command(*hints: str, description: str = "") -> Command:
    return Command(name="fix", description=description, hints=list(hints))


@for_each(
    ("hints", "names"),
    [
        ((), []),
        (("$ARGUMENTS",), ["arguments"]),
        (("$1", "$10", "$2"), ["argument_1", "argument_2", "argument_10"]),
        (("$1", "$ARGUMENTS"), ["argument_1", "arguments"]),
        (("$odd",), []),
        (("$1", "$3000000000", "$" + "9" * 5000, "$0", "$²"), ["argument_1"]),
    ],
)
def test_a_commands_placeholders_are_arguments_in_the_order_of_their_numbers(
    hints: tuple[str, ...], names: list[str]
) -> None:
    assert [argument.name for argument in command_listed(command(*hints)).arguments or []] == names


def test_a_command_without_a_description_is_still_listed() -> None:
    assert command_listed(command()).description == "OpenCode's command /fix"
    assert text_of(command_filled(command(), {})) == (
        'Run OpenCode\'s command /fix with opencode_command(command="fix"), and tell me the result.'
    )


def test_an_argument_that_the_command_has_not_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="no argument 'argument_2'"):
        command_filled(command("$1"), {"argument_2": "x"})


@given(st.lists(st.text(st.characters(blacklist_characters="\"'", min_codepoint=32), min_size=1).map(str.strip)))
def test_opencode_reports_separately_what_was_typed_separately(values: list[str]) -> None:
    given_values = {f"argument_{number}": value for number, value in enumerate(values, 1) if value}
    words = [word.strip("\"'") for word in OPENCODE_SPLITS.findall(argument_line(given_values))]
    while values and not values[-1]:
        values = values[:-1]
    assert words == values
