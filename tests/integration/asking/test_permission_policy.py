"""The operator decides who answers permissions; a caller can be stricter, and never looser."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import Era, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.differences import RESULT_OF_A_REJECTION, tool_name
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import Backend, backend
from tests.integration.person import Person, filled
from tests.scripted_model.script import bash, hold, question, script, step, task, text, tool, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras]

ONCE = filled(decision="once")
SETTINGS = """\
permissions = "human"

[permission_rules]
edit = "allow"
external_directory = "reject"

[permission_rules.bash]
"*" = "human"
"echo free*" = "allow"
"echo never*" = "reject"
"echo delegate*" = "agent"
"""


@pytest.fixture(scope="module")
def asking_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = make_project(tmp_path_factory.mktemp("policy") / "project")
    configure(directory, {"permission": {"bash": "ask", "edit": "ask", "external_directory": "ask"}})
    return directory


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, asking_project: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, asking_project)


@pytest.fixture
async def opencode(opencode_server: OpenCode, asking_project: Path) -> AsyncGenerator[Backend]:
    seen = backend(opencode_server, asking_project)
    async with seen.http:
        yield seen


@pytest.fixture
def by_table(launch: Launch, tmp_path: Path) -> Launch:
    """A bridge whose operator has a settings file."""
    path = tmp_path / "config.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return launch.within(OPENCODE_MCP_CONFIG=str(path))


@pytest.mark.either_era
@pytest.mark.both_generations
async def test_allow_asks_nobody_and_the_report_lists_what_was_allowed(
    launch: Launch, era: Era, opencode_generation: Generation
) -> None:
    person, kind = Person(), tool_name("bash", opencode_generation)
    async with open_bridge(launch.with_flags("--permissions", "allow"), era=era, elicit=person) as host:
        result = await host.call("opencode_run", prompt=script(bash("echo yes"), text("Ran.")))
    report = data_of(result)
    assert (report["status"], report["text"]) == ("completed", "Ran.")
    assert report["decided"] == [{"permission": kind, "patterns": ["echo yes"], "reply": "once"}]
    assert f"By the permission policy of this MCP server:\nallowed {kind}: echo yes" in text_of(result)
    assert person.forms == []


@pytest.mark.both_generations
async def test_reject_refuses_with_a_message_to_the_model_and_the_run_goes_on(
    launch: Launch, scripted_model: ScriptedModel, asking_project: Path, opencode_generation: Generation
) -> None:
    async with open_bridge(launch.with_flags("--permissions", "reject")) as host:
        report = data_of(await host.call("opencode_run", prompt=script(write("no.txt", "no"), text("Without."))))
    assert (report["status"], report["text"]) == ("completed", "Without.")
    assert [decision["reply"] for decision in report["decided"]] == ["reject"]
    result = (await scripted_model.requests(report["session_id"]))[-1]["results"][0]
    assert RESULT_OF_A_REJECTION[opencode_generation] in result
    assert not (asking_project / "no.txt").exists()


@pytest.mark.both_generations
async def test_agent_lets_the_agent_answer_though_a_person_could_be_asked(launch: Launch, era: Era) -> None:
    person = Person()
    async with open_bridge(launch.with_flags("--permissions", "agent"), era=era, elicit=person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(bash("echo agent"), text("Ran."))))
        request = report["pending"][0]
        assert report["status"] == "needs_input"
        ended = data_of(await host.call("opencode_reply_permission", request_id=request["request_id"], reply="once"))
    assert ended["text"] == "Ran."
    assert person.forms == []


async def test_a_question_goes_to_the_person_whatever_is_said_of_permissions(launch: Launch) -> None:
    person = Person(filled(answer_1="Red"))
    async with open_bridge(launch.with_flags("--permissions", "agent"), elicit=person) as host:
        asks = script(question("Which?", "Red", "Blue"), text("Noted."))
        assert data_of(await host.call("opencode_run", prompt=asks))["text"] == "Noted."
    assert len(person.forms) == 1


@pytest.mark.both_generations
async def test_the_settings_file_decides_by_kind_and_pattern(
    by_table: Launch, asking_project: Path, opencode_generation: Generation
) -> None:
    person, kind = Person(ONCE), tool_name("bash", opencode_generation)
    steps = (
        write("allowed.txt", "yes\n"),
        bash("echo free beer"),
        bash("echo never mind"),
        tool("read", filePath="/etc/hostname"),
        bash("echo other"),
        text("Through."),
    )
    async with open_bridge(by_table, elicit=person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(*steps)))
    assert (report["status"], report["text"]) == ("completed", "Through.")
    assert [(decision["permission"], decision["reply"]) for decision in report["decided"]] == [
        ("edit", "once"),
        (kind, "once"),
        (kind, "reject"),
        ("external_directory", "reject"),
    ]
    assert [form.message.splitlines()[0] for form in person.forms] == [
        f"OpenCode asks permission for {kind}: echo other"
    ]
    assert (asking_project / "allowed.txt").exists()


@pytest.mark.both_generations
async def test_one_of_two_requests_may_be_the_agents_and_the_other_the_persons(
    by_table: Launch, opencode_generation: Generation
) -> None:
    person = Person(ONCE)
    both = script(step(bash("echo delegate this"), bash("echo ask about this")), text("Both."))
    async with open_bridge(by_table, elicit=person) as host:
        report = data_of(await host.call("opencode_run", prompt=both))
        while report["status"] == "needs_input":
            request = report["pending"][0]
            assert request["patterns"] == ["echo delegate this"]
            report = data_of(
                await host.call("opencode_reply_permission", request_id=request["request_id"], reply="once")
            )
    assert report["text"] == "Both."
    assert [form.message.splitlines()[0] for form in person.forms] == [
        f"OpenCode asks permission for {tool_name('bash', opencode_generation)}: echo ask about this"
    ]


async def test_a_caller_can_have_the_person_asked(launch: Launch, era: Era) -> None:
    person = Person(ONCE)
    async with open_bridge(launch.with_flags("--permissions", "allow"), era=era, elicit=person) as host:
        call = {"prompt": script(bash("echo careful"), text("Ran.")), "permissions": "human"}
        report = data_of(await host.call("opencode_run", **call))
    assert report["text"] == "Ran."
    assert len(person.forms) == 1
    assert "decided" not in report


async def test_a_caller_can_have_everything_refused(launch: Launch) -> None:
    async with open_bridge(launch.with_flags("--permissions", "allow")) as host:
        call = {"prompt": script(bash("echo none"), text("Without.")), "permissions": "reject"}
        report = data_of(await host.call("opencode_run", **call))
    assert report["text"] == "Without."
    assert [decision["reply"] for decision in report["decided"]] == ["reject"]


async def test_a_caller_cannot_widen(launch: Launch) -> None:
    person = Person(filled(decision="reject", feedback="No."))
    call = {"prompt": script(bash("echo wider"), text("Without.")), "permissions": "agent"}
    async with open_bridge(launch.with_flags("--permissions", "human"), elicit=person) as host:
        assert data_of(await host.call("opencode_run", **call))["text"] == "Without."
    assert len(person.forms) == 1
    async with open_bridge(launch.with_flags("--permissions", "reject")) as host:
        report = data_of(await host.call("opencode_run", **call))
        loosest = await host.call("opencode_run", prompt="x", permissions="allow")
    assert [decision["reply"] for decision in report["decided"]] == ["reject"]
    assert loosest.is_error


@pytest.mark.both_generations
async def test_a_stricter_limit_holds_after_a_restart_of_the_bridge_and_only_for_its_run(launch: Launch) -> None:
    loose = launch.with_flags("--permissions", "allow")
    async with open_bridge(loose) as host:
        call = {"prompt": script(bash("echo kept"), text("Ran.")), "permissions": "agent"}
        started = data_of(await host.call("opencode_run", **call, wait_seconds=0))
    session = {"session_id": started["session_id"]}
    async with open_bridge(loose) as host:
        report = data_of(await host.call("opencode_wait", **session))
        assert report["status"] == "needs_input"
        request = report["pending"][0]
        ended = data_of(await host.call("opencode_reply_permission", request_id=request["request_id"], reply="once"))
        assert ended["text"] == "Ran."
        later = data_of(await host.call("opencode_run", **session, prompt=script(bash("echo free"), text("Freely."))))
    assert later["text"] == "Freely."
    assert [decision["reply"] for decision in later["decided"]] == ["once"]


@pytest.mark.both_generations
async def test_policy_answers_while_nobody_waits(launch: Launch, opencode: Backend) -> None:
    async with open_bridge(launch.with_flags("--permissions", "allow")) as host:
        steps = (bash("echo alone"), bash("echo still alone"), text("Done alone."))
        started = data_of(await host.call("opencode_run", prompt=script(*steps), wait_seconds=0))
        assert started["status"] == "running"
        await opencode.idle(started["session_id"])
        assert await opencode.said(started["session_id"]) == "Done alone."
        report = data_of(await host.call("opencode_wait", session_id=started["session_id"]))
    assert [decision["patterns"] for decision in report["decided"]] == [["echo alone"], ["echo still alone"]]


@pytest.mark.both_generations
async def test_policy_answers_subagents_too_while_nobody_waits(launch: Launch, opencode: Backend) -> None:
    nested = script(bash("echo child"), text("The child is done."), say="Do the small part")
    async with open_bridge(launch.with_flags("--permissions", "allow")) as host:
        started = data_of(await host.call("opencode_run", prompt=script(task(nested), text("All.")), wait_seconds=0))
        await opencode.idle(started["session_id"])
        assert await opencode.said(started["session_id"]) == "All."


@pytest.mark.both_generations
async def test_policy_answers_where_several_are_waited_for(launch: Launch, scripted_model: ScriptedModel) -> None:
    loose = launch.with_flags("--permissions", "allow")
    held = [script(step(hold(f"several-{n}"), bash(f"echo {n}")), text(f"Ran {n}.")) for n in range(2)]
    async with open_bridge(loose) as host:
        sessions = [data_of(await host.call("opencode_run", prompt=prompt, wait_seconds=0)) for prompt in held]
        for n in range(2):
            await scripted_model.reached(f"several-{n}")
    for n in range(2):
        await scripted_model.release(f"several-{n}")
    ids = [session["session_id"] for session in sessions]
    async with open_bridge(loose) as host:
        reports = data_of(await host.call("opencode_wait", session_ids=ids))
    assert reports["status"] == "completed"
    assert [report["text"] for report in reports["runs"]] == ["Ran 0.", "Ran 1."]
