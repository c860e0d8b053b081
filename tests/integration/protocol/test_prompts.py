"""Prompts as a host gets them: our own, and OpenCode's slash commands with what was typed."""

import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from mcp import MCPError
from mcp_types import INVALID_PARAMS, TextContent

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import Bridge, Era, open_bridge
from tests.harness.bridges.launch import Launch, attaching, left_server
from tests.harness.differences import COMMAND_ARGUMENTS
from tests.harness.project import commit, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import Backend, backend
from tests.scripted_model.script import spoken

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

COMMANDS = {
    "fix": "---\ndescription: Fix what is broken\n---\nFix <$1> in <$2>. All: $ARGUMENTS\n",
    "bare": "Do it.\n",
    "delegate": "Another's, of the same name as ours.\n",
}
LINE = re.compile(r'opencode_command\(command="(\w+)"(?:, arguments=(".*"))?\)')


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with slash commands of its own."""
    directory = make_project(tmp_path_factory.mktemp("commanded"))
    add_commands(directory)
    return directory


def add_commands(project: Path) -> None:
    folder = project / ".opencode" / "command"
    folder.mkdir(parents=True)
    for name, content in COMMANDS.items():
        (folder / f"{name}.md").write_text(content, encoding="utf-8")
    commit(project)


@pytest.fixture(scope="module")
async def host(
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    commanded: Path,
    era: Era,
) -> AsyncGenerator[Bridge]:
    launch = attaching(tmp_path_factory.mktemp("bridge"), scripted_model, opencode_server, commanded)
    async with open_bridge(launch, era=era) as opened:
        yield opened


async def filled(host: Bridge, name: str, **arguments: str) -> str:
    """The text of a prompt."""
    (message,) = (await host.client.get_prompt(name, arguments)).messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


async def refusal(host: Bridge, name: str, **arguments: str) -> str:
    with pytest.raises(MCPError) as caught:
        await host.client.get_prompt(name, arguments)
    assert caught.value.error.code == INVALID_PARAMS
    return caught.value.error.message


@pytest.mark.both_generations
@pytest.mark.both_eras
async def test_our_own_prompts_come_first_then_opencodes_commands(host: Bridge) -> None:
    prompts = (await host.client.list_prompts()).prompts
    names = [prompt.name for prompt in prompts]
    assert names[:4] == ["delegate", "review_session", "continue_session", "hand_over"]
    assert {"init", "fix", "bare"} <= set(names[4:])
    assert len(names) == len(set(names))


@pytest.mark.both_generations
@pytest.mark.both_eras
async def test_a_command_is_listed_with_its_description_and_its_placeholders(
    host: Bridge, opencode_generation: Generation
) -> None:
    listed = {prompt.name: prompt for prompt in (await host.client.list_prompts()).prompts}
    assert (listed["fix"].title, listed["fix"].description) == ("/fix", "Fix what is broken")
    assert listed["bare"].description == "OpenCode's command /bare"
    for name, takes in COMMAND_ARGUMENTS[opencode_generation].items():
        arguments = [(argument.name, argument.required) for argument in listed[name].arguments or []]
        assert arguments == [(argument, None) for argument in takes]


@pytest.mark.both_eras
async def test_what_is_given_is_in_the_prompt_unchanged(host: Bridge) -> None:
    assert (await filled(host, "delegate", task="Repair {task} and $1")).endswith("The task: Repair {task} and $1")
    assert "if I say so: ses_1 {session}\n" in await filled(host, "review_session", session="ses_1 {session}")


@pytest.mark.parametrize("name", ["delegate", "review_session", "continue_session", "hand_over", "fix"])
async def test_placeholders_stay_where_a_host_puts_them_to_fill_in_itself(host: Bridge, name: str) -> None:
    listed = {prompt.name: prompt for prompt in (await host.client.list_prompts()).prompts}
    names = [argument.name for argument in listed[name].arguments or []]
    text = await filled(host, name, **{argument: f"${number}" for number, argument in enumerate(names, 1)})
    for number in range(1, len(names) + 1):
        assert f"${number}" in text


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("delegate", {}, "The prompt 'delegate' needs 'task'. It takes task."),
        ("delegate", {"task": ""}, "The prompt 'delegate' needs 'task'."),
        ("delegate", {"task": "x", "goal": "y"}, "The prompt 'delegate' has no argument 'goal'. It takes task."),
        ("hand_over", {"agent": "plan"}, "The prompt 'hand_over' has no argument 'agent'. It takes session."),
        ("hand_over", {}, "The prompt 'hand_over' needs 'session'. It takes session."),
        ("fix", {"task": "x"}, "The command 'fix' has no argument 'task'. It takes argument_1, argument_2, arguments."),
        ("bare", {"task": "x"}, "The command 'bare' has no argument 'task'. It takes none."),
        ("nothing", {}, "There is no prompt 'nothing'. There are delegate, review_session,"),
    ],
)
@pytest.mark.both_eras
async def test_a_wrong_argument_or_name_says_what_would_be_right(
    host: Bridge, name: str, arguments: dict[str, str], said: str
) -> None:
    assert said in await refusal(host, name, **arguments)


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ({"argument_1": "bug", "argument_2": "main.py"}, "Fix <bug> in <main.py>. All: bug main.py"),
        ({"argument_1": "two words", "argument_2": "x"}, 'Fix <two words> in <x>. All: "two words" x'),
        ({"argument_1": "it's", "argument_2": "x"}, "Fix <it's> in <x>. All: \"it's\" x"),
        ({"argument_1": 'say "hi"', "argument_2": "x"}, 'Fix <say "hi"> in <x>. All: \'say "hi"\' x'),
        ({"argument_2": "x"}, 'Fix <> in <x>. All: "" x'),
    ],
)
async def test_opencode_reads_out_of_the_prompt_what_the_person_typed(
    host: Bridge,
    opencode_server: OpenCode,
    scripted_model: ScriptedModel,
    commanded: Path,
    arguments: dict[str, str],
    read: str,
) -> None:
    async with backend(opencode_server, commanded) as opencode:
        assert await received_prompts(host, opencode, scripted_model, **arguments) == [read]


@pytest.mark.both_generations
async def test_opencode_reads_what_the_person_typed_after_a_command_as_one_text(
    host: Bridge, opencode_server: OpenCode, scripted_model: ScriptedModel, commanded: Path
) -> None:
    async with backend(opencode_server, commanded) as opencode:
        prompts = await received_prompts(host, opencode, scripted_model, arguments="all of it")
    assert prompts == ["Fix <all> in <of it>. All: all of it"]


async def received_prompts(host: Bridge, opencode: Backend, model: ScriptedModel, **arguments: str) -> list[str]:
    """Do what the prompt of the command ``fix`` says, and return the prompts that the model got."""
    call = LINE.search(await filled(host, "fix", **arguments))
    assert call is not None
    session = await opencode.create_session()
    await opencode.command(session, call[1], json.loads(call[2]))
    asked = await model.requests(session)
    return [spoken(request["prompt"]) for request in asked if request["kind"] == "chat"]


async def test_a_command_can_be_got_before_opencode_was_ever_used(own_launch: Launch, project: Path, era: Era) -> None:
    add_commands(project)
    async with open_bridge(own_launch, era=era) as host:
        assert left_server(own_launch) is None
        assert 'opencode_command(command="bare")' in await filled(host, "bare")
        assert "fix" in {prompt.name for prompt in (await host.client.list_prompts()).prompts}


async def test_a_prompt_that_opencode_must_be_asked_for_fails_as_opencodes_fault_where_it_is_gone(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path, era: Era
) -> None:
    launch = attaching(tmp_path, scripted_model, opencode_server, project).within(OPENCODE_MCP_PASSWORD="wrong")
    async with open_bridge(launch, era=era) as host:
        with pytest.raises(MCPError, match="password") as caught:
            await host.client.get_prompt("fix", {})
    assert caught.value.error.code != INVALID_PARAMS
