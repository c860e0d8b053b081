"""A shell line needs ``--allow`` and permission, by its own tool and in a slash command.

A command attaches nothing from outside.
"""

import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.workspace.configuration.command_template import expand
from tests.harness.bridges.bridge import Bridge, Era, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import Host as RawHost
from tests.harness.bridges.rawrpc import open_raw
from tests.harness.differences import PROMPT_OF_A_SERVER
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import backend
from tests.integration.host import Host
from tests.integration.person import CANCELLED, DECLINED, Person, filled
from tests.scripted_model.script import script, spoken, text
from tests.workspace.configuration.test_command_template import EXPANSIONS

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras]

SECRET = "kept outside of the project"
PUNCTUATED = "what's this? (it costs $5; see #7) & more!"
"""Arguments with characters that mean something to a shell."""
RULES = """\
[permission_rules.bash]
"*" = "reject"
"echo free*" = "allow"
"git log*" = "allow"
"""
TEMPLATES = {
    "at": "Explain @$ARGUMENTS",
    "below": "Explain @docs/$1 and @$2",
    "plain": "Consider this.",
    "log": "See !`git log -1 --format=%s $ARGUMENTS`",
    "open": "See !$1`",
    "own": "Printed: !`echo own-line` for $ARGUMENTS",
    "outside": "Explain @/etc/passwd",
}
SERVER = """\
from mcp.server.mcpserver import MCPServer
server = MCPServer("asker")
@server.prompt()
def ask(topic: str) -> str:
    "Ask about something"
    return f"About @{topic}, see !`echo {topic}`"
@server.prompt()
def pair(folder: str, name: str) -> str:
    "Look at a file of a folder"
    return f"Look at @{folder}/{name} please"
server.run("stdio")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with commands of every kind; a file lies beside it."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "outside.txt").write_text(SECRET, encoding="utf-8")
    project = make_project(folder / "project")
    commands = project / ".opencode" / "command"
    commands.mkdir(parents=True)
    for name, template in TEMPLATES.items():
        (commands / f"{name}.md").write_text(f"---\ndescription: x\n---\n{template}\n", encoding="utf-8")
    head = "---\nagent: general\nsubtask: true\n---\n"
    (commands / "subtask.md").write_text(f"{head}Explain @$ARGUMENTS\n", encoding="utf-8")
    skill = project / ".opencode" / "skill" / "learned"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\nname: learned\ndescription: x\n---\nLook at @$1\n", encoding="utf-8")
    server = folder / "asker.py"
    server.write_text(SERVER, encoding="utf-8")
    configure(project, {"mcp": {"asker": {"type": "local", "command": [sys.executable, str(server)]}}})
    return project


@pytest.fixture(scope="module")
def launch(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode, place: Path
) -> Launch:
    attached = attaching(tmp_path_factory.mktemp("bridge"), scripted_model, opencode_server, place)
    return attached.with_flags("--allow", "session.shell")


@pytest.fixture(scope="module")
def unallowing(
    tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel, opencode_server: OpenCode, place: Path
) -> Launch:
    """A bridge as it is without any setting."""
    return attaching(tmp_path_factory.mktemp("unallowing"), scripted_model, opencode_server, place)


@pytest.fixture(scope="module")
async def http(opencode_server: OpenCode, place: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with opencode_server.client(place) as client:
        yield client


@pytest.fixture(scope="module")
async def session(http: httpx.AsyncClient) -> str:
    return (await http.post("/session", json={})).raise_for_status().json()["id"]


@pytest.fixture(scope="module")
async def refusing(launch: Launch) -> AsyncGenerator[Host]:
    """A host whose operator refuses every permission, once OpenCode has connected the server that has prompts."""
    async with open_bridge(launch.with_flags("--permissions", "reject")) as bridge:
        host = Host(Bridge(bridge.client, launch))

        async def is_listed() -> bool:
            return "asker:ask" in await host.text("opencode_read_operation", operation="command.list")

        await eventually(is_listed)
        yield host


# Shell lines that nothing allows


async def test_without_any_setting_no_caller_runs_a_shell_line_of_its_own(
    unallowing: Launch, session: str, tmp_path: Path
) -> None:
    marker = tmp_path / "ran.txt"
    line = f"touch {marker}"
    named = {"sessionID": session}
    async with open_bridge(unallowing.with_flags("--permissions", "allow")) as bridge:
        host = Host(bridge)
        assert "opencode_shell" not in await listed(bridge)
        ways: list[tuple[str, dict[str, Any]]] = [
            ("opencode_command", {"command": "plain", "arguments": f"!`{line}`"}),
            ("opencode_command", {"command": "log", "arguments": f"; {line}"}),
            ("opencode_command", {"command": "asker:ask", "arguments": "`date`"}),
            (
                "opencode_call_operation",
                {"operation": "session.shell", "arguments": {**named, "agent": "build", "command": line}},
            ),
            (
                "opencode_call_operation",
                {"operation": "pty.create", "arguments": {"command": "touch", "args": [str(marker)]}},
            ),
        ]
        for tool, arguments in ways:
            error = await host.error(tool, **arguments)
            assert "is not allowed here: its effect is execute" in error, tool
            assert "\n\nThe person can: add " in error
            assert "--allow session.shell`" in error or "--allow pty.create,pty.connect" in error
    assert not marker.exists()


# Shell lines by their own tool


async def test_a_line_without_a_session_runs_in_a_new_one_that_is_named_after_it(
    launch: Launch, http: httpx.AsyncClient, place: Path
) -> None:
    async with open_bridge(launch) as bridge:
        host = Host(bridge)
        printed = await host.data("opencode_shell", command="pwd")
        assert printed["output"].strip() == str(place)
        named = (await http.get(f"/session/{printed['session_id']}")).raise_for_status().json()
        assert named["title"] == "Shell: pwd"
        wrong = await host.error("opencode_shell", command="pwd", directory=str(place.parent))
        assert "is outside of what is allowed" in wrong


async def test_a_refusing_policy_refuses_shell_lines(refusing: Host, session: str, place: Path) -> None:
    error = await refusing.error("opencode_shell", session_id=session, command="touch ran.txt")
    assert "The permission policy of this MCP server refuses the shell line 'touch ran.txt'." in error
    assert not (place / "ran.txt").exists()


async def test_the_rules_for_bash_hold_for_every_part_of_a_line(launch: Launch, session: str, tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(RULES, encoding="utf-8")
    async with open_bridge(launch.within(OPENCODE_MCP_CONFIG=str(settings))) as bridge:
        host = Host(bridge)
        printed = await host.data("opencode_shell", session_id=session, command="echo free 2>&1")
        assert printed["output"] == "free\n"
        marker = tmp_path / "ran.txt"
        for line in (
            f"echo free; touch {marker}",
            f"echo free && touch {marker}",
            f"echo free & touch {marker}",
            f"echo free | tee {marker}",
            f"echo free > {marker}",
            f"echo free $(touch {marker})",
            f"echo free '$(touch {marker})'",
            f"echo free `touch {marker}`",
            f"echo free\ntouch {marker}",
            f"git log --output={marker}; ls",
        ):
            error = await host.error("opencode_shell", session_id=session, command=line)
            assert "refuses the shell line" in error, line
        assert not marker.exists()


async def test_a_person_is_asked_and_sees_the_whole_line(
    launch: Launch, session: str, place: Path, era: Era, tmp_path: Path
) -> None:
    reject, once = filled(decision="reject"), filled(decision="once")
    person = Person(once, reject, DECLINED, CANCELLED, reject, once)
    marker = tmp_path / "ran.txt"
    async with open_bridge(launch, era=era, elicit=person) as bridge:
        host = Host(bridge)
        printed = await host.data("opencode_shell", session_id=session, command="echo \u202easked")
        assert "asked" in printed["output"]
        for said in ("The person refused", "gave no answer", "gave no answer"):
            assert said in await host.error("opencode_shell", session_id=session, command=f"touch {marker}")
        error = await host.error("opencode_shell", session_id=session, command="echo " + "a" * 4000)
        assert "too many to read" in error
        # A line that verifies the work of a run is such a line.
        verified = {"prompt": script(text("Done.")), "session_id": session, "verify": f"touch {marker}"}
        assert "The person refused the shell line" in await host.error("opencode_run", **verified)
        assert not marker.exists()
        assert (await host.data("opencode_run", **verified))["verified"] == "passed"
        assert marker.exists()
    assert len(person.forms) == 6
    assert person.forms[0].message.startswith(f"Run this shell line in {place}?")
    assert person.forms[0].message.endswith("\n\necho \\u202easked")


ASKABLE = RawHost(protocol="2026-07-28", capabilities={"elicitation": {}})
ONCE = {"shell": {"action": "accept", "content": {"decision": "once"}}}


async def listed(bridge: Bridge) -> set[str]:
    return {tool.name for tool in (await bridge.client.list_tools()).tools}


def shell_call(session: str, line: str) -> dict[str, Any]:
    return {"name": "opencode_shell", "arguments": {"session_id": session, "command": line}}


async def test_an_answer_runs_its_line_once_and_no_other(
    launch: Launch, http: httpx.AsyncClient, session: str, tmp_path: Path
) -> None:
    other = (await http.post("/session", json={})).raise_for_status().json()["id"]
    ran = tmp_path / "ran.txt"
    call = shell_call(session, f"echo x >> {ran}")
    async with open_raw(launch, ASKABLE) as host:
        asked = (await host.request("tools/call", call))["result"]
        assert not ran.exists()
        answered = {"requestState": asked["requestState"], "inputResponses": ONCE}
        for differs in (shell_call(session, f"echo y >> {ran}"), shell_call(other, f"echo x >> {ran}")):
            refused = await host.request("tools/call", differs | answered)
            assert refused["error"]["message"] == "Invalid or expired requestState"
        unasked = (await host.request("tools/call", call | {"inputResponses": ONCE}))["result"]
        assert unasked["resultType"] == "input_required"
        done = (await host.request("tools/call", call | answered))["result"]
        assert done["structuredContent"]["status"] == "completed"
        again = (await host.request("tools/call", call | answered))["result"]
        assert again["resultType"] == "input_required"
    async with open_raw(launch, ASKABLE) as host:
        elsewhere = (await host.request("tools/call", call | answered))["result"]
        assert elsewhere["resultType"] == "input_required"
    assert ran.read_text(encoding="utf-8") == "x\n"


async def test_the_answer_for_a_line_of_a_command_starts_one_command(launch: Launch, tmp_path: Path) -> None:
    ran = tmp_path / "ran.txt"
    call = {"name": "opencode_command", "arguments": {"command": "log", "arguments": f"; echo x >> {ran}"}}
    async with open_raw(launch, ASKABLE) as host:
        asked = (await host.request("tools/call", call))["result"]
        answered = call | {"requestState": asked["requestState"], "inputResponses": ONCE}
        done = (await host.request("tools/call", answered))["result"]
        assert done["structuredContent"]["status"] == "completed"
        again = (await host.request("tools/call", answered))["result"]
        assert again["resultType"] == "input_required"
    assert ran.read_text(encoding="utf-8") == "x\n"


async def test_denials_and_a_read_only_bridge_refuse_the_lines_of_commands(launch: Launch, tmp_path: Path) -> None:
    ran = tmp_path / "ran.txt"
    arguments = {"command": "log", "arguments": f"; touch {ran}"}
    async with open_bridge(launch.with_flags("--deny", "session.shell", "--permissions", "allow")) as bridge:
        assert "opencode_shell" not in await listed(bridge)
        error = await Host(bridge).error("opencode_command", **arguments)
        assert "this MCP server denies session.shell" in error
    for flags in (("--deny", "execute"), ("--read-only",)):
        async with open_bridge(launch.with_flags(*flags, "--permissions", "allow")) as bridge:
            assert not {"opencode_shell", "opencode_command"} & await listed(bridge)
    assert not ran.exists()


async def test_where_nobody_can_be_asked_the_calling_agent_decides(launch: Launch, session: str) -> None:
    async with open_bridge(launch) as bridge:
        printed = await Host(bridge).data("opencode_shell", session_id=session, command="echo mine")
    assert printed["output"] == "mine\n"


# Slash commands


@pytest.mark.both_generations
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("at", "../outside.txt"),
        ("at", "{outside}"),
        ("below", "x ../outside.txt"),
        ("below", 'x "../outside.txt"'),
        ("plain", "see @../outside.txt"),
        ("plain", "caf\u00e9@../outside.txt"),
        ("subtask", "../outside.txt"),
        ("asker:ask", "../outside.txt"),
        ("outside", ""),
    ],
)
async def test_a_command_attaches_nothing_from_outside(
    refusing: Host, place: Path, command: str, arguments: str
) -> None:
    given = arguments.format(outside=place.parent / "outside.txt")
    error = await refusing.error("opencode_command", command=command, arguments=given)
    assert "is outside of what is allowed" in error


async def test_a_skill_that_is_a_command_attaches_nothing_from_outside_and_runs_no_refused_line(
    refusing: Host, tmp_path: Path
) -> None:
    marker = tmp_path / "ran.txt"
    error = await refusing.error("opencode_command", command="learned", arguments="../outside.txt")
    assert "is outside of what is allowed" in error
    error = await refusing.error("opencode_command", command="learned", arguments=f"x !`touch {marker}`")
    assert "The permission policy of this MCP server refuses the shell line" in error
    assert not marker.exists()


@pytest.mark.parametrize(
    "arguments", [".. outside.txt", ". ./outside.txt", "'' {outside}", "x,@ {outside}", "docs/.. .."]
)
async def test_arguments_lead_nowhere_with_what_a_prompt_of_a_server_puts_next_to_them(
    refusing: Host, place: Path, arguments: str
) -> None:
    given = arguments.format(outside=str(place.parent / "outside.txt").lstrip("/"))
    error = await refusing.error("opencode_command", command="asker:pair", arguments=given)
    assert "could lead outside when the command joins it with other text" in error


@pytest.mark.both_generations
@pytest.mark.parametrize("path", ["~/notes.txt"])
async def test_a_command_attaches_nothing_of_the_home_directory(refusing: Host, path: str) -> None:
    assert "home directory" in await refusing.error("opencode_command", command="at", arguments=path)


@pytest.mark.both_generations
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("log", "; touch {marker}"),
        ("log", "$(touch {marker})"),
        ("log", "--output={marker}"),
        ("plain", "!`touch {marker}`"),
        ("open", '"`touch {marker}"'),
        ("own", "!`touch {marker}`"),
        ("subtask", "x !`touch {marker}`"),
        ("asker:ask", "'x; touch {marker}'"),
    ],
)
async def test_arguments_run_no_shell_line_that_the_policy_refuses(
    refusing: Host, tmp_path: Path, command: str, arguments: str
) -> None:
    marker = tmp_path / "ran.txt"
    error = await refusing.error("opencode_command", command=command, arguments=arguments.format(marker=marker))
    assert "The permission policy of this MCP server refuses the shell line" in error
    assert not marker.exists()


async def test_the_operation_is_held_to_the_same(unallowing: Launch, session: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran.txt"
    async with open_bridge(unallowing.with_flags("--allow", "session.command")) as bridge:
        for command, arguments, said in (
            ("at", "../outside.txt", "is outside of what is allowed"),
            ("log", f"; touch {marker}", "session.shell is not allowed here"),
            ("nothing", "", "OpenCode has no command 'nothing'"),
        ):
            asked = {"sessionID": session, "command": command, "arguments": arguments}
            result = await bridge.call("opencode_call_operation", operation="session.command", arguments=asked)
            assert result.is_error
            assert said in text_of(result)
    assert not marker.exists()


@pytest.mark.parametrize("operation", ["session.shell", "session.command"])
async def test_an_operation_that_may_run_lines_still_keeps_to_the_policy(
    launch: Launch, session: str, tmp_path: Path, operation: str
) -> None:
    """The operator's --allow opens the operation; who decides about a line is said by --permissions all the same."""
    marker = tmp_path / "ran.txt"
    lines = {
        "session.shell": {"sessionID": session, "agent": "build", "command": f"touch {marker}"},
        "session.command": {"sessionID": session, "command": "log", "arguments": f"; touch {marker}"},
    }
    asked = {"operation": operation, "arguments": lines[operation]}
    allowing = launch.with_flags("--allow", "execute")
    async with open_bridge(allowing.with_flags("--permissions", "reject")) as bridge:
        assert "The permission policy of this MCP server refuses the shell line" in await Host(bridge).error(
            "opencode_call_operation", **asked
        )
    async with open_bridge(allowing, elicit=Person()) as bridge:
        assert "they ask the person" in await Host(bridge).error("opencode_call_operation", **asked)
    assert not marker.exists()
    async with open_bridge(allowing.with_flags("--permissions", "agent")) as bridge:
        await Host(bridge).data("opencode_call_operation", **asked)
    assert marker.exists()


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_a_person_is_asked_for_a_line_that_the_arguments_make_and_then_the_command_runs(
    launch: Launch, era: Era, tmp_path: Path
) -> None:
    person = Person(filled(decision="once"), filled(decision="reject"))
    marker = tmp_path / "ran.txt"
    async with open_bridge(launch, era=era, elicit=person) as bridge:
        host = Host(bridge)
        report = await host.data("opencode_command", command="log", arguments=f"; touch {marker}")
        assert report["status"] == "completed"
        assert marker.exists()
        marker.unlink()
        error = await host.error("opencode_command", command="log", arguments=f";  touch {marker}")
    assert "The person refused the shell line, so it did not run." in error
    assert not marker.exists()
    assert person.forms[0].message.endswith(f"git log -1 --format=%s ; touch {marker}")


async def test_the_lines_of_a_command_s_own_text_need_permission_like_those_of_an_agent(
    unallowing: Launch, tmp_path: Path, scripted_model: ScriptedModel
) -> None:
    """An agent that may edit files can write a command; nobody has to allow the effect for it."""
    async with open_bridge(unallowing.with_flags("--permissions", "reject")) as bridge:
        error = await Host(bridge).error("opencode_command", command="own", arguments="you")
    assert "refuses the shell line 'echo own-line'" in error
    settings = tmp_path / "config.toml"
    settings.write_text('[permission_rules.bash]\n"*" = "reject"\n"echo own*" = "allow"\n', encoding="utf-8")
    async with open_bridge(unallowing.within(OPENCODE_MCP_CONFIG=str(settings))) as bridge:
        report = await Host(bridge).data("opencode_command", command="own", arguments="you")
    assert await first_words(scripted_model, report) == "Printed: own-line\n for you"


@pytest.mark.either_era
async def test_a_person_is_asked_for_the_lines_of_a_command_s_own_text(unallowing: Launch, era: Era) -> None:
    person = Person(filled(decision="reject"))
    async with open_bridge(unallowing, era=era, elicit=person) as bridge:
        error = await Host(bridge).error("opencode_command", command="own")
    assert "The person refused the shell line" in error
    assert person.forms[0].message.endswith("\n\necho own-line")


async def first_words(scripted_model: ScriptedModel, report: dict[str, Any]) -> str:
    """Return the prompt that the model received in a run."""
    asked = [item for item in await scripted_model.requests(report["session_id"]) if item["kind"] == "chat"]
    return spoken(asked[0]["prompt"]).strip()


@pytest.mark.both_generations
async def test_what_a_command_does_without_shell_lines_needs_nobody(
    refusing: Host, scripted_model: ScriptedModel, opencode_generation: Generation
) -> None:
    for command, arguments, expected in (
        ("at", "docs/notes.txt", "Explain @docs/notes.txt"),
        ("plain", PUNCTUATED, f"Consider this.\n\n{PUNCTUATED}"),
        ("asker:ask", "everything", PROMPT_OF_A_SERVER[opencode_generation]),
    ):
        report = await refusing.data("opencode_command", command=command, arguments=arguments)
        assert report["status"] == "completed"
        assert (await first_words(scripted_model, report)).startswith(expected.strip())


@pytest.mark.both_generations
async def test_a_prompt_that_begins_with_a_slash_is_a_prompt(refusing: Host, scripted_model: ScriptedModel) -> None:
    for prompt in ("/at ../outside.txt", "Explain @../outside.txt and !`echo ran`"):
        report = data_of(await refusing.bridge.call("opencode_run", prompt=prompt))
        asked = [item for item in await scripted_model.requests(report["session_id"]) if item["kind"] == "chat"]
        assert [spoken(item["prompt"]) for item in asked] == [prompt]
        assert SECRET not in str(asked)


@pytest.mark.both_generations
async def test_opencode_expands_commands_as_the_bridge_does(
    opencode_server: OpenCode, scripted_model: ScriptedModel, tmp_path: Path, opencode_generation: Generation
) -> None:
    project = make_project(tmp_path / "project")
    cases = [item for item in EXPANSIONS if "`" not in item[0] and item[2].strip()]
    # All of them have been seen to be the same on OpenCode 2, where each takes a second.
    cases = cases[::4] if opencode_generation == 2 else cases
    configure(project, {"command": {f"c{n}": {"template": item[0]} for n, item in enumerate(cases)}})
    async with backend(opencode_server, project) as opencode:
        await opencode.load()
        session = await opencode.create_session()
        for number, (_, arguments, _) in enumerate(cases):
            await opencode.command(session, f"c{number}", arguments)
    asked = [item for item in await scripted_model.requests(session) if item["kind"] == "chat"]
    received = [spoken(item["prompt"]) for item in asked]
    assert received == [expand(template, arguments).strip() for template, arguments, _ in cases]
