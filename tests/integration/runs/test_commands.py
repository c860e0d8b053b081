"""Slash commands and shell lines over stdio."""

from functools import partial
from pathlib import Path

import anyio
import pytest
from mcp_types import ResourceLink

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import text_of
from tests.harness.differences import tool_name
from tests.harness.project import commit, git
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend import backend
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import Action, Step, bash, hold, question, script, step, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


def add_command(project: Path, name: str, *steps: Action | Step, head: str = "") -> str:
    """Give a project a slash command that makes the model do as scripted."""
    folder = project / ".opencode" / "command"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["---", f"description: The command {name}", *([head] if head else []), "---", "Asked for: $ARGUMENTS"]
    (folder / f"{name}.md").write_text("\n".join([*lines, script(*steps, say="")]), encoding="utf-8")
    return name


@pytest.fixture(scope="package")
def projects_with_commands(workplace: Path, asking: Path) -> tuple[Path, Path]:
    """The shared projects, with some commands in them."""
    add_command(workplace, "speak", bash("echo spoken"), text("Spoken."))
    # The script's command runs until the file exists that the slash command names.
    add_command(workplace, "dwell_on", bash("echo spoken; until [ -e $ARGUMENTS ]; do sleep 0.1; done"), text("On."))
    add_command(workplace, "wonder", question("Which?", "Red", "Blue"), text("Chosen."))
    for era in ("2025", "2026"):
        add_command(workplace, f"dwell{era}", step(hold(f"dwelling {era}"), text("Dwelt.")))
    add_command(workplace, "delegate", text("Delegated."), head="agent: general\nsubtask: true")
    add_command(asking, "permit", bash("echo permitted"), text("Permitted."))
    for project in (workplace, asking):
        commit(project)
    return workplace, asking


@pytest.fixture(scope="package")
def commands(projects_with_commands: tuple[Path, Path], opencode_server: OpenCode) -> None:
    """Those commands, where OpenCode knows them: it reads them when it opens a directory."""
    for project in projects_with_commands:
        opencode_server.unload(project)


@pytest.mark.usefixtures("commands")
@pytest.mark.either_era
async def test_a_command_runs_as_a_prompt_does(host: Host, opencode_server: OpenCode, workplace: Path) -> None:
    report = await host.data("opencode_command", command="speak", arguments="to me")
    assert (report["status"], report["text"]) == ("completed", "Spoken.")
    opencode = backend(opencode_server, workplace)
    async with opencode.http:
        assert await opencode.prompt_ids(report["session_id"]) == [report["message_id"]]
    seen = await host.data("opencode_session", session_id=report["session_id"])
    assert "Asked for: to me" in seen["transcript"]
    assert seen["last_run"]["prompt"] == "/speak to me"
    listed = await host.data("opencode_list_sessions", directory=str(workplace), limit=100)
    (prompt,) = [row["prompt"] for row in listed["sessions"] if row["session_id"] == report["session_id"]]
    assert prompt == "/speak to me"


@pytest.mark.usefixtures("commands")
async def test_a_command_s_tools_are_reported_as_progress(
    host: Host, opencode_generation: Generation, tmp_path: Path
) -> None:
    reported = tmp_path / "heard"
    call = partial(host.data, "opencode_command", command="dwell_on", arguments=str(reported))
    async with meanwhile(call) as reports:
        await host.wait_for_progress(f"{tool_name('bash', opencode_generation)}: echo spoken")
        reported.touch()
    assert [report["status"] for report in reports] == ["completed"]


@pytest.mark.usefixtures("commands")
async def test_a_command_goes_on_in_a_session_with_a_slash_or_without(host: Host) -> None:
    isolated = {"prompt": script(text("Before."), say="/speak to me"), "isolate": True}
    first = await host.data("opencode_run", **isolated, wait_seconds=60)
    assert 'opencode_command(command="speak") runs the command.' in first["note"], "it was sent as text"
    second = await host.data("opencode_command", command="/speak", session_id=first["session_id"])
    assert (second["session_id"], second["directory"]) == (first["session_id"], first["directory"])
    assert (await host.wait(first["session_id"]))["message_id"] == second["message_id"]
    await host.data("opencode_integrate", session_id=first["session_id"], how="discard")


@pytest.mark.usefixtures("commands")
async def test_a_command_works_in_a_worktree_if_its_base_has_the_command(
    host: Host, workplace: Path, case: str, opencode_server: OpenCode
) -> None:
    name, noted = add_command(workplace, f"note-{case}", write("noted.txt", "x\n"), text("Noted.")), "noted.txt"
    # Another test may have had OpenCode open the project, and then it does not know the new command.
    opencode_server.unload(workplace)
    before = git(workplace, "worktree", "list"), git(workplace, "branch", "--list")
    missing = await host.error("opencode_command", command=name, isolate=True)
    assert 'base="working_tree"' in missing
    assert (git(workplace, "worktree", "list"), git(workplace, "branch", "--list")) == before
    report = await host.data("opencode_command", command=name, isolate=True, base="working_tree")
    assert (report["status"], [file["path"] for file in report["files"]]) == ("completed", [noted])
    assert report["directory"] != str(workplace)
    assert not (workplace / noted).exists()
    assert f'opencode_integrate(session_id="{report["session_id"]}", how="apply")' in report["note"]
    await host.data("opencode_integrate", session_id=report["session_id"], how="discard")
    (workplace / ".opencode" / "command" / f"{name}.md").unlink()


@pytest.mark.usefixtures("commands")
async def test_a_command_does_not_run_other_shell_lines_in_a_worktree_than_those_of_the_project(
    host: Host, workplace: Path
) -> None:
    file = workplace / ".opencode" / "command" / "speak.md"
    committed = file.read_text(encoding="utf-8")
    try:
        file.write_text(committed.replace("Asked for:", "!`echo changed` Asked for:"), encoding="utf-8")
        commit(workplace)
        file.write_text(committed, encoding="utf-8")
        refused = await host.error("opencode_command", command="speak", isolate=True)
    finally:
        file.write_text(committed, encoding="utf-8")
        commit(workplace)
    assert "other shell lines" in refused
    assert "echo changed" in refused


@pytest.mark.usefixtures("commands")
async def test_a_command_of_a_subagent_is_one_run(host: Host) -> None:
    report = await host.data("opencode_command", command="delegate", arguments="it")
    assert report["status"] == "completed"
    assert len(report["children"]) == 1
    assert (await host.wait(report["session_id"]))["message_id"] == report["message_id"]


@pytest.mark.usefixtures("commands")
async def test_a_command_that_takes_long_is_waited_for_again(
    host: Host, era: str, scripted_model: ScriptedModel
) -> None:
    report = await host.data("opencode_command", command=f"dwell{era}", wait_seconds=0.5)
    session_id = report["session_id"]
    assert report["status"] == "running"
    await scripted_model.reached(f"dwelling {era}")
    busy = await host.error("opencode_command", command="speak", session_id=session_id)
    assert "is running another prompt" in busy
    assert "is running another prompt" in await host.error("opencode_shell", session_id=session_id, command="echo x")
    await scripted_model.release(f"dwelling {era}")
    done = await host.wait(session_id)
    assert (done["status"], done["text"], done["message_id"]) == ("completed", "Dwelt.", report["message_id"])


@pytest.mark.usefixtures("commands")
@pytest.mark.both_eras
async def test_a_command_can_ask_for_a_permission_and_a_question(host: Host, asking: Path) -> None:
    report = await host.data("opencode_command", command="permit", directory=str(asking))
    assert report["status"] == "needs_input"
    (request,) = report["pending"]
    assert "echo permitted" in request["asks"]
    await host.data("opencode_abort", session_id=report["session_id"])
    asked = await host.data("opencode_command", command="wonder")
    (request,) = asked["pending"]
    answered = await host.data("opencode_reply_question", request_id=request["request_id"], answers=[["Red"]])
    assert (answered["status"], answered["text"]) == ("completed", "Chosen.")


@pytest.mark.usefixtures("commands")
async def test_the_caller_s_limit_on_permissions_holds_for_commands(host: Host, asking: Path) -> None:
    report = await host.data("opencode_command", command="permit", directory=str(asking), permissions="reject")
    assert [decision["reply"] for decision in report["decided"]] == ["reject"]
    allowed = await host.data("opencode_run", session_id=report["session_id"], prompt=script(text("Later.")))
    assert "decided" not in allowed


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"command": "speek"}, "Did you mean speak?"),
        ({"command": "speak", "agent": "nobody"}, "The agents are"),
        ({"command": "speak", "model": "scripted/m9"}, "scripted/m1"),
        ({"command": "speak", "session_id": "ses_none"}, "no session"),
    ],
)
async def test_the_error_of_an_impossible_command_names_those_that_there_are(
    host: Host, arguments: dict[str, str], reason: str
) -> None:
    assert reason in await host.error("opencode_command", **arguments)


async def test_a_shell_line_prints_and_its_agent_sees_it(host: Host) -> None:
    report = await host.run(text("Before."))
    session_id = report["session_id"]
    printed = await host.data("opencode_shell", session_id=session_id, command="echo out; echo err >&2; exit 3")
    assert (printed["status"], printed["output"]) == ("completed", "out\nerr\n")
    assert "exit code" in printed["note"]
    seen = await host.data("opencode_session", session_id=session_id)
    assert "echo out" in seen["transcript"]
    assert (await host.wait(session_id))["message_id"] == report["message_id"], "a shell line is no prompt"


async def test_a_shell_line_runs_in_the_project_and_needs_no_session(host: Host, workplace: Path, case: str) -> None:
    name = f"by-shell-{case}.txt"
    printed = await host.data("opencode_shell", command=f"echo x > {name}")
    assert printed["output"] == ""
    named = await host.data("opencode_session", session_id=printed["session_id"])
    assert named["title"].startswith("Shell: echo x > by-shell-")
    assert (workplace / name).read_text(encoding="utf-8") == "x\n"


async def test_much_output_is_cut_to_its_end_with_a_link_to_the_whole(host: Host) -> None:
    report = await host.run(text("Before."))
    result = await host.bridge.call("opencode_shell", session_id=report["session_id"], command="seq 1 20000")
    output = text_of(result)
    assert "\n20000\n" in output
    assert "of 108,894 characters" in output
    assert len(output) < 21_000
    (link,) = [block for block in result.content if isinstance(block, ResourceLink)]
    assert link.uri.startswith(f"opencode://session/{report['session_id']}/message/msg_")


async def test_a_long_shell_line_goes_on_by_itself_and_can_be_stopped(
    host: Host, opencode_server: OpenCode, workplace: Path
) -> None:
    report = await host.run(text("Before."))
    session_id = report["session_id"]
    started = await host.data(
        "opencode_shell", session_id=session_id, command="echo begun; sleep 600; echo ended", wait_seconds=0
    )
    assert started["status"] == "running"
    assert "opencode_abort" in started["note"]

    async def begun() -> bool:
        return "begun" in (await host.data("opencode_session", session_id=session_id))["transcript"]

    await eventually(begun)
    with anyio.fail_after(30):
        await host.data("opencode_abort", session_id=session_id)
    opencode = backend(opencode_server, workplace)
    async with opencode.http:
        assert session_id not in await opencode.busy()
    assert "aborted" in (await host.data("opencode_session", session_id=session_id))["transcript"]


async def test_the_error_of_an_impossible_shell_line_says_why(host: Host) -> None:
    report = await host.run(text("Before."))
    session_id = report["session_id"]
    assert "is empty" in await host.error("opencode_shell", session_id=session_id, command=" ")
    assert "The agents are" in await host.error("opencode_shell", session_id=session_id, command="ls", agent="nobody")
    assert "no session" in await host.error("opencode_shell", session_id="ses_none", command="ls")
