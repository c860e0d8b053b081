"""Requests of OpenCode during a run reach a person, or the agent, in both protocol eras."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
import pytest
from mcp_types import ElicitResult

from opencode_mcp.opencode.versions import Generation
from tests.harness.bridges.bridge import Bridge, Era, OpenBridge, data_of, open_bridge, text_of
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import Host, open_raw
from tests.harness.differences import ALWAYS_FOR_ECHO, END_BY_REJECTION, FORMS_FOR_ALWAYS, tool_name
from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import Backend, backend
from tests.integration.person import CANCELLED, DECLINED, Chair, Person, filled
from tests.scripted_model.script import bash, edit, question, questions, script, step, task, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_eras]

ONCE = filled(decision="once")
ASKS: dict[str, object] = {"permission": {"bash": "ask", "edit": "ask"}}


@pytest.fixture(scope="module")
def asking_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which OpenCode asks before it runs or edits anything; prompts distinguish the sessions of tests."""
    directory = make_project(tmp_path_factory.mktemp("asking") / "project")
    configure(directory, ASKS)
    return directory


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, asking_project: Path) -> Launch:
    return attaching(tmp_path, scripted_model, opencode_server, asking_project)


@pytest.fixture
async def opencode(opencode_server: OpenCode, asking_project: Path) -> AsyncGenerator[Backend]:
    seen = backend(opencode_server, asking_project)
    async with seen.http:
        yield seen


class Sit(Protocol):
    """Puts a person in front of the shared host of an era."""

    def __call__(self, person: Person) -> AbstractAsyncContextManager[Bridge]:
        """Seat the person while the block runs."""
        ...


@pytest.fixture(scope="module")
async def shared(
    era: Era,
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    asking_project: Path,
) -> AsyncGenerator[tuple[Bridge, Chair]]:
    """A bridge for all tests of one era whose host can show forms."""
    chair = Chair()
    launch = attaching(tmp_path_factory.mktemp(f"asking{era}"), scripted_model, opencode_server, asking_project)
    async with open_bridge(launch, era=era, elicit=chair) as bridge:
        yield bridge, chair


@pytest.fixture
def sit(shared: tuple[Bridge, Chair]) -> Sit:
    bridge, chair = shared

    @asynccontextmanager
    async def take_a_seat(person: Person) -> AsyncGenerator[Bridge]:
        chair.person = person
        yield bridge
        chair.person = None

    return take_a_seat


@pytest.fixture(scope="module")
async def unattended(
    era: Era,
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    asking_project: Path,
) -> AsyncGenerator[Bridge]:
    """A bridge for all tests of one era whose host can show none."""
    launch = attaching(tmp_path_factory.mktemp(f"alone{era}"), scripted_model, opencode_server, asking_project)
    async with open_bridge(launch, era=era) as bridge:
        yield bridge


# A person who can be asked


@pytest.mark.both_generations
async def test_a_permission_is_put_to_the_person_and_the_answer_reaches_opencode(sit: Sit, opencode: Backend) -> None:
    person = Person(ONCE)
    async with sit(person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(bash("echo hi"), text("Ran."))))
    assert (report["status"], report["text"]) == ("completed", "Ran.")
    assert len(person.forms) == 1
    assert await opencode.prompts(report["session_id"]) == 1


async def test_a_permission_form_shows_the_command_the_choices_and_what_always_adds(sit: Sit) -> None:
    person = Person(ONCE)
    async with sit(person) as host:
        await host.call("opencode_run", prompt=script(bash("echo shown | cat"), text("Ran.")))
    message = person.forms[0].message
    assert message.startswith("OpenCode asks permission for bash")
    assert "command: echo shown | cat" in message
    assert "“Always” would also allow every bash request that matches echo * or cat *, in every session" in message
    assert person.fields()["decision"]["enum"] == ["once", "always", "reject", "later"]
    assert person.fields()["decision"]["enumNames"] == ["Allow once", "Always allow", "Reject", "Decide later"]
    assert person.forms[0].requested_schema["required"] == ["decision"]


async def test_the_form_for_an_edit_shows_the_diff_cut_to_a_readable_size(
    bridge: OpenBridge, asking_project: Path
) -> None:
    (asking_project / "long.txt").write_text("first\n", encoding="utf-8")
    person = Person(filled(decision="reject", feedback="Too long."))
    long = "\n".join(f"line {number}" for number in range(2000))
    async with bridge(elicit=person) as host:
        await host.call("opencode_run", prompt=script(edit("long.txt", "first", long), text("Left.")))
    message = person.forms[0].message
    assert "long.txt" in message
    assert "+line 1\n" in message
    assert "… (cut)" in message
    assert len(message) < 3500
    assert (asking_project / "long.txt").read_text(encoding="utf-8") == "first\n"


@pytest.mark.both_generations
async def test_always_holds_for_what_matches_later_in_every_session(
    bridge: OpenBridge, opencode_generation: Generation
) -> None:
    forms = FORMS_FOR_ALWAYS[opencode_generation]
    person = Person(*[filled(decision="always")] * forms)
    again = script(bash("printf always"), bash("printf more"), text("Both."))
    async with bridge(elicit=person) as host:
        first = data_of(await host.call("opencode_run", prompt=again))
        second = data_of(await host.call("opencode_run", prompt=again))
    assert [first["status"], second["status"]] == ["completed", "completed"]
    assert len(person.forms) == forms


@pytest.mark.both_generations
async def test_a_rejection_with_feedback_reaches_the_model_and_the_run_goes_on(
    sit: Sit, scripted_model: ScriptedModel
) -> None:
    person = Person(filled(decision="reject", feedback="Use the README instead."))
    async with sit(person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(bash("echo no"), text("As you wish."))))
    assert (report["status"], report["text"]) == ("completed", "As you wish.")
    asked = (await scripted_model.requests(report["session_id"]))[-1]
    assert "Use the README instead." in asked["results"][0]


@pytest.mark.both_generations
async def test_a_rejection_without_a_message_ends_the_run(bridge: OpenBridge, opencode_generation: Generation) -> None:
    person = Person(filled(decision="reject"))
    async with bridge(elicit=person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(bash("echo no"), text("Never said."))))
    assert report["status"] == END_BY_REJECTION[opencode_generation]
    assert report["text"] == ""


@pytest.mark.both_generations
async def test_a_question_form_keeps_header_labels_descriptions_and_own_words(sit: Sit) -> None:
    person = Person(filled(answer_1="Blue"))
    asks = script(question("Which colour?", "Red", "Blue", header="Colour"), text("Noted."))
    async with sit(person) as host:
        report = data_of(await host.call("opencode_run", prompt=asks))
    assert report["text"] == "Noted."
    fields = person.fields()
    assert fields["answer_1"]["title"] == "Colour"
    assert fields["answer_1"]["enum"] == ["Red", "Blue"]
    assert fields["answer_1"]["description"] == "Which colour? (Red: Choose Red; Blue: Choose Blue)"
    assert fields["answer_1_own_words"]["type"] == "string"
    assert "Which colour?" in person.forms[0].message


@pytest.mark.both_generations
async def test_several_questions_come_in_one_form_with_multiple_choice_and_own_words(
    sit: Sit, scripted_model: ScriptedModel
) -> None:
    options = [{"label": label, "description": f"Size {label}"} for label in ("S", "M", "L")]
    asks = questions(
        {"question": "Which sizes?", "header": "Sizes", "options": options, "multiple": True},
        {"question": "Which one first?", "header": "First", "options": options},
        {"question": "In what colour?", "header": "Colour", "options": options},
    )
    person = Person(
        filled(answer_1=["S", "L"], answer_1_own_words="XXL", answer_2="M", answer_3="S", answer_3_own_words="Teal")
    )
    async with sit(person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(asks, text("All noted."))))
    assert report["text"] == "All noted."
    assert len(person.forms) == 1
    assert person.fields()["answer_1"]["items"]["enum"] == ["S", "M", "L"]
    result = (await scripted_model.requests(report["session_id"]))[-1]["results"][0]
    assert '"Which sizes?"="S, L, XXL"' in result
    assert '"Which one first?"="M"' in result
    assert '"In what colour?"="Teal"' in result


@pytest.mark.both_generations
@pytest.mark.parametrize("answer", [DECLINED, CANCELLED], ids=["declined", "cancelled"])
async def test_a_form_that_is_not_filled_leaves_the_request_open_and_says_so(
    sit: Sit, opencode: Backend, answer: ElicitResult
) -> None:
    person = Person(answer, ONCE)
    async with sit(person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(bash("echo later"), text("Ran."))))
        assert report["status"] == "needs_input"
        how = "declined" if answer is DECLINED else "dismissed"
        assert report["note"] == f"The form was {how}, by the person or by a host without one. It is still open."
        request = report["pending"][0]
        assert request["request_id"] in await opencode.open_ids()
        assert request["agent_may_answer"] is False
        assert "Only a person may answer" in report["next"]
        assert all(way in report["next"] for way in ('reply="reject")', "opencode_abort", "--permissions agent"))
        refused = await host.call("opencode_reply_permission", request_id=request["request_id"], reply="once")
        assert refused.is_error
        assert text_of(refused).startswith("Only a person may answer this permission.")
        assert request["request_id"] in await opencode.open_ids()
        ended = data_of(await host.call("opencode_wait", session_id=report["session_id"]))
    assert (ended["status"], ended["text"]) == ("completed", "Ran.")
    assert await opencode.prompts(report["session_id"]) == 1


async def test_a_form_that_is_filled_in_part_leaves_the_question_open_and_says_why(sit: Sit) -> None:
    options = [{"label": "A", "description": "a"}]
    asks = questions(*({"question": name, "header": name, "options": options} for name in ("Which?", "And?")))
    person = Person(filled(answer_1="A"), filled(answer_1="A", answer_2="A"))
    async with sit(person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(asks, text("Noted."))))
        assert report["status"] == "needs_input"
        assert report["note"].startswith("The question 'And?' takes one answer.")
        ended = data_of(await host.call("opencode_wait", session_id=report["session_id"]))
    assert ended["text"] == "Noted."


@pytest.mark.both_generations
async def test_a_request_of_a_subagent_reaches_the_same_person_named_as_such(
    sit: Sit, opencode_generation: Generation
) -> None:
    person = Person(ONCE)
    nested = script(bash("echo child"), text("The child is done."), say="Do the small part")
    async with sit(person) as host:
        report = data_of(await host.call("opencode_run", prompt=script(task(nested), text("All done."))))
    assert (report["status"], report["text"]) == ("completed", "All done.")
    kind = tool_name("bash", opencode_generation)
    assert person.forms[0].message.startswith(f"OpenCode's subagent {report['children'][0]} asks permission for {kind}")


async def test_a_host_that_cannot_show_the_form_it_declared_leaves_the_request_open(launch: Launch) -> None:
    async with open_raw(launch, Host(capabilities={"elicitation": {}})) as host:
        run = await host.send("tools/call", run_of(script(bash("echo odd"), text("Ran."))))
        form = await host.message("elicitation/create")
        await host.write({"jsonrpc": "2.0", "id": form["id"], "error": {"code": -32603, "message": "No screen."}})
        report = (await host.reply(run))["result"]["structuredContent"]
    assert report["status"] == "needs_input"
    assert "gave no answer" in report["note"]


# Nobody to ask but the agent


@pytest.mark.both_generations
async def test_a_client_that_declares_nothing_gets_the_request_in_full_and_the_tool_that_answers_it(
    unattended: Bridge, opencode: Backend, opencode_generation: Generation
) -> None:
    kind = tool_name("bash", opencode_generation)
    waiting = await unattended.call("opencode_run", prompt=script(bash("echo agent"), text("Ran.")))
    report = data_of(waiting)
    assert report["status"] == "needs_input"
    request = report["pending"][0]
    assert request["permission"] == kind
    assert request["patterns"] == ["echo agent"]
    assert request["always"] == [ALWAYS_FOR_ECHO[opencode_generation].format(command="echo agent")]
    assert request["asks"] == f"{kind}: echo agent\ndescription: Run a command"
    answer = f'opencode_reply_permission(request_id="{request["request_id"]}"'
    assert answer in report["next"]
    assert answer in text_of(waiting)
    ended = data_of(await unattended.call("opencode_reply_permission", request_id=request["request_id"], reply="once"))
    assert (ended["status"], ended["text"]) == ("completed", "Ran.")
    assert await opencode.prompts(report["session_id"]) == 1


@pytest.mark.both_generations
async def test_an_agent_answers_a_question_by_labels_and_own_words(unattended: Bridge) -> None:
    asks = script(question("Which colour?", "Red", "Blue"), text("Noted."))
    report = data_of(await unattended.call("opencode_run", prompt=asks))
    request = report["pending"][0]
    assert request["questions"][0]["options"][1] == {"label": "Blue", "description": "Choose Blue"}
    ended = data_of(
        await unattended.call("opencode_reply_question", request_id=request["request_id"], answers=[["Deep green"]])
    )
    assert ended["text"] == "Noted."


@pytest.mark.both_generations
async def test_a_repeated_or_late_answer_gets_a_clear_message_and_is_no_error(unattended: Bridge) -> None:
    report = data_of(await unattended.call("opencode_run", prompt=script(bash("echo twice"), text("Ran."))))
    answer = {"request_id": report["pending"][0]["request_id"], "reply": "once"}
    assert data_of(await unattended.call("opencode_reply_permission", **answer))["status"] == "completed"
    repeated = data_of(await unattended.call("opencode_reply_permission", **answer))
    assert repeated["note"] == "It is not open any more: it was answered already, or its run has ended."
    assert (repeated["status"], repeated["text"]) == ("completed", "Ran.")


# Answered elsewhere


@pytest.mark.both_generations
async def test_an_answer_from_elsewhere_ends_the_forms_wait_and_the_run_goes_on(
    launch: Launch, opencode: Backend
) -> None:
    async with open_raw(launch, Host(capabilities={"elicitation": {}})) as host:
        run = await host.send("tools/call", run_of(script(bash("echo tui"), text("Ran."))))
        form = await host.message("elicitation/create")
        session_id = await session_asking(opencode, "echo tui")
        request = await opencode.asked(session_id)
        await opencode.allow(request)
        report = (await host.reply(run))["result"]["structuredContent"]
        cancelled = await host.message("notifications/cancelled")
        # A person who fills the form all the same changes nothing.
        await host.respond(form, {"action": "accept", "content": {"decision": "reject"}})
        again = (await host.call("opencode_wait", session_id=session_id))["structuredContent"]
    assert (report["status"], report["text"]) == ("completed", "Ran.")
    assert cancelled["params"]["requestId"] == form["id"]
    assert (again["status"], again["text"]) == ("completed", "Ran.")


@pytest.mark.both_generations
async def test_a_retry_with_an_answer_that_came_too_late_reports_the_run_and_says_so(
    launch: Launch, opencode: Backend
) -> None:
    async with open_raw(launch, ASKABLE) as host:
        call = run_of(script(bash("echo late"), text("Ran.")))
        asked = (await host.request("tools/call", call))["result"]
        key = only(asked["inputRequests"])
        await opencode.allow(next(request for request in await opencode.requests() if request.id == key))
        retry = call | answering(asked, {"action": "accept", "content": {"decision": "reject"}})
        report = (await host.request("tools/call", retry))["result"]["structuredContent"]
    assert report["note"].startswith("The answer came too late")
    assert (report["status"], report["text"]) == ("completed", "Ran.")


async def test_a_second_host_that_answers_by_tool_closes_the_first_ones_form(launch: Launch) -> None:
    person = Person()
    trusted = launch.with_flags("--permissions", "agent")
    async with open_bridge(launch, era="2025", elicit=person) as first, open_bridge(trusted, era="2025") as second:
        reports: list[dict[str, Any]] = []

        async def run() -> None:
            reports.append(data_of(await first.call("opencode_run", prompt=script(bash("echo two"), text("Ran.")))))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await person.asked.wait()
            session_id = await latest_session(second)
            seen = data_of(await second.call("opencode_wait", session_id=session_id, wait_seconds=0))
            request = seen["pending"][0]
            assert "opencode_reply_permission" in seen["next"]
            answer = {"request_id": request["request_id"], "reply": "reject", "message": "Do without."}
            await second.call("opencode_reply_permission", **answer)
    assert reports[0]["text"] == "Ran."


# The era of 2026: a call that is made again

ASKABLE = Host(protocol="2026-07-28", capabilities={"elicitation": {}})


def run_of(prompt: str, **arguments: object) -> dict[str, Any]:
    return {"name": "opencode_run", "arguments": {"prompt": prompt, **arguments}}


def only(requests: dict[str, Any]) -> str:
    (key,) = requests
    return key


def answering(asked: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that a retry adds to its call."""
    assert asked["resultType"] == "input_required"
    return {
        "requestState": asked["requestState"],
        "inputResponses": dict.fromkeys(asked["inputRequests"], response),
    }


ACCEPT = {"action": "accept", "content": {"decision": "once"}}


async def session_asking(opencode: Backend, pattern: str) -> str:
    return next(request.session_id for request in await opencode.requests() if request.patterns == (pattern,))


async def latest_session(host: Bridge) -> str:
    return data_of(await host.call("opencode_list_sessions"))["sessions"][0]["session_id"]


@pytest.mark.both_generations
async def test_a_retry_attaches_to_the_same_run_and_never_starts_it_again(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch, ASKABLE) as host:
        call = run_of(script(bash("echo one"), step(question("Sure?", "Yes", "No")), text("Ran.")))
        asked = (await host.request("tools/call", call))["result"]
        form = asked["inputRequests"][only(asked["inputRequests"])]
        assert form["method"] == "elicitation/create"
        again = (await host.request("tools/call", call | answering(asked, ACCEPT)))["result"]
        yes = {"action": "accept", "content": {"answer_1": "Yes"}}
        report = (await host.request("tools/call", call | answering(again, yes)))["result"]["structuredContent"]
    assert (report["status"], report["text"]) == ("completed", "Ran.")
    assert await opencode.prompts(report["session_id"]) == 1


@pytest.mark.both_generations
async def test_several_requests_at_once_are_returned_together(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch, ASKABLE) as host:
        call = run_of(script(step(bash("echo left"), bash("echo right")), text("Both.")))
        asked = (await host.request("tools/call", call))["result"]
        while asked["resultType"] == "input_required":
            asked = (await host.request("tools/call", call | answering(asked, ACCEPT)))["result"]
    report = asked["structuredContent"]
    assert (report["status"], report["text"]) == ("completed", "Both.")
    assert await opencode.prompts(report["session_id"]) == 1


async def test_a_retry_without_an_answer_leaves_the_request_open(launch: Launch, opencode: Backend) -> None:
    async with open_raw(launch, ASKABLE) as host:
        call = run_of(script(bash("echo mute"), text("Ran.")))
        asked = (await host.request("tools/call", call))["result"]
        retry = call | {"requestState": asked["requestState"]}
        report = (await host.request("tools/call", retry))["result"]["structuredContent"]
    assert report["status"] == "needs_input"
    assert only(asked["inputRequests"]) in await opencode.open_ids()


@pytest.mark.parametrize("later", ["0", "3600"], ids=["at once", "an hour later"])
async def test_a_retry_after_a_restart_of_the_bridge_still_works(
    launch: Launch, opencode: Backend, shifted: Path, later: str
) -> None:
    call = run_of(script(bash(f"echo restart {later}"), text("Ran.")))
    async with open_raw(launch, ASKABLE) as host:
        asked = (await host.request("tools/call", call))["result"]
    moved = launch.within(PYTHONPATH=str(shifted), TEST_CLOCK_AHEAD=later)
    async with open_raw(moved, ASKABLE) as host:
        report = (await host.request("tools/call", call | answering(asked, ACCEPT)))["result"]["structuredContent"]
    assert (report["status"], report["text"]) == ("completed", "Ran.")
    assert await opencode.prompts(report["session_id"]) == 1


async def test_a_retry_after_more_than_a_day_is_refused_and_starts_nothing(
    launch: Launch, opencode: Backend, shifted: Path
) -> None:
    call = run_of(script(bash("echo stale"), text("Ran.")))
    async with open_raw(launch, ASKABLE) as host:
        asked = (await host.request("tools/call", call))["result"]
        before = len(await opencode.session_ids())
    moved = launch.within(PYTHONPATH=str(shifted), TEST_CLOCK_AHEAD="90000")
    async with open_raw(moved, ASKABLE) as host:
        refused = await host.request("tools/call", call | answering(asked, ACCEPT))
    assert refused["error"]["message"] == "Invalid or expired requestState"
    assert len(await opencode.session_ids()) == before


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    """A folder that puts a process's clock ahead by the seconds in TEST_CLOCK_AHEAD, as waiting so long would."""
    folder = tmp_path / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import os, time\n"
        "real, ahead = time.time, float(os.environ['TEST_CLOCK_AHEAD'])\n"
        "time.time = lambda: real() + ahead\n",
        encoding="utf-8",
    )
    return folder


async def test_a_request_state_that_was_tampered_with_is_refused_and_starts_nothing(
    launch: Launch, opencode: Backend
) -> None:
    async with open_raw(launch, ASKABLE) as host:
        call = run_of(script(bash("echo forged"), text("Ran.")))
        asked = (await host.request("tools/call", call))["result"]
        before = len(await opencode.session_ids())
        forged = answering(asked, ACCEPT)
        forged["requestState"] = forged["requestState"][:-4] + "AAAA"
        refused = await host.request("tools/call", call | forged)
        other = run_of(script(text("Another call."))) | answering(asked, ACCEPT)
        borrowed = await host.request("tools/call", other)
    assert refused["error"]["code"] == borrowed["error"]["code"] == -32602
    assert only(asked["inputRequests"]) in await opencode.open_ids()
    assert len(await opencode.session_ids()) == before
