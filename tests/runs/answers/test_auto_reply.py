"""Policy answers the runs that this bridge started, also while nobody waits, and other runs only while waited for."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import httpx
import pytest

from opencode_mcp.errors import NotAllowed
from opencode_mcp.events.hub import Hub
from opencode_mcp.launcher.connection import Connection
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.endpoint import Endpoint
from opencode_mcp.runs.answers.answer_rules import PERSON, AnswerRules, PermissionReply
from opencode_mcp.runs.answers.answer_rules import POLICY as BY_POLICY
from opencode_mcp.runs.answers.auto_reply import RUNS_KEPT, AutoReply
from opencode_mcp.runs.answers.reply_sender import ReplySender
from opencode_mcp.runs.answers.runs_under_policy import RunsUnderPolicy
from opencode_mcp.runs.deadline import Deadline
from opencode_mcp.runs.following.wait_callbacks import no_progress
from opencode_mcp.runs.outcome.run_report import RunReport
from opencode_mcp.runs.prompting.prompt import Prompt
from opencode_mcp.runs.requests.open_requests import Requests
from opencode_mcp.runs.requests.permission_policy import Policy
from opencode_mcp.runs.run_life import Runs
from opencode_mcp.runs.run_record import Run
from opencode_mcp.runs.session_history.given_answers import GivenAnswer, answers_in
from opencode_mcp.runs.starting.start_options import StartOptions
from tests.harness.faults.proxy import Proxy
from tests.harness.project import configure, make_project
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.scripted_model.script import bash, hold, script, step, text
from tests.wires import Route

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

WAIT = 40
POLICY = Policy("human", {"bash": {"*": "human", "echo free*": "allow", "echo never*": "reject"}})


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = make_project(tmp_path_factory.mktemp("auto_reply"))
    configure(project, {"permission": {"bash": "ask"}})
    return project


@pytest.fixture
async def requests(endpoint: Endpoint, hub: Hub) -> AsyncGenerator[Requests]:
    connection = Connection(Route(endpoint))
    yield Requests(OpenCodeClient(connection), hub)
    await connection.aclose()


@pytest.fixture
def reply_sender(runs: Runs, requests: Requests) -> ReplySender:
    client = requests._client  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return ReplySender(client, requests, runs, AnswerRules(POLICY), client.session_get)


@pytest.fixture
async def auto_reply(hub: Hub, requests: Requests, reply_sender: ReplySender) -> AsyncGenerator[AutoReply]:
    """Answers in the background, as in a bridge."""
    auto_reply = AutoReply(hub, requests, reply_sender)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(auto_reply.watch)
        yield auto_reply
        tasks.cancel_scope.cancel()


@pytest.fixture
def under_policy(runs: Runs, auto_reply: AutoReply, reply_sender: ReplySender) -> RunsUnderPolicy:
    return RunsUnderPolicy(runs, auto_reply, reply_sender)


@pytest.fixture
async def beside(opencode_server: OpenCode, asking: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A way to OpenCode beside the proxy."""
    async with opencode_server.client(asking) as client:
        yield client


def prompt(asking: Path, *commands: str, title: str = "") -> Prompt:
    steps = [bash(command) for command in commands]
    return Prompt(text=script(*steps, text("Done.")), directory=str(asking), title=title)


async def report_of(under_policy: RunsUnderPolicy, run: Run) -> RunReport:
    """Wait for a run, and report it."""
    return await under_policy.report(run, await under_policy.observe(run, Deadline.after(WAIT)))


async def idle(http: httpx.AsyncClient, run: Run) -> None:
    """Wait until OpenCode has answered; before it has begun, and before it completes the answer, it is idle, too."""

    async def look() -> bool:
        busy = run.session_id in (await http.get("/session/status")).raise_for_status().json()
        messages = (await http.get(f"/session/{run.session_id}/message")).raise_for_status().json()
        last = messages[-1]["info"] if messages else {"role": ""}
        return not busy and last["role"] == "assistant" and "completed" in last["time"]

    await eventually(look)


async def decided(under_policy: RunsUnderPolicy, run: Run, number: int) -> RunReport:
    """Report a run once it lists so many decisions: OpenCode may end it before the response to an answer arrives."""

    async def look() -> list[RunReport]:
        report = await under_policy.report_now(run)
        return [report] if len(report.decided) >= number else []

    [report] = await eventually(look)
    return report


async def test_what_policy_decides_is_answered_while_nobody_waits_and_listed_in_the_report(
    auto_reply: AutoReply, under_policy: RunsUnderPolicy, runs: Runs, asking: Path, beside: httpx.AsyncClient
) -> None:
    run = await runs.start(prompt(asking, "echo free", "echo never"), options=StartOptions(before_send=auto_reply.add))
    await idle(beside, run)
    report = await decided(under_policy, run, 2)
    assert (report.status, report.text) == ("completed", "Done.")
    assert [(decision.patterns, decision.reply) for decision in report.decided] == [
        (["echo free"], "once"),
        (["echo never"], "reject"),
    ]


async def test_what_a_person_decides_stays_open(
    auto_reply: AutoReply, under_policy: RunsUnderPolicy, runs: Runs, asking: Path
) -> None:
    run = await runs.start(prompt(asking, "echo free", "echo other"), options=StartOptions(before_send=auto_reply.add))
    report = await report_of(under_policy, run)
    assert report.status == "needs_input"
    assert [request.patterns for request in report.pending] == [["echo other"]]
    assert AnswerRules(POLICY).decider(run, report.pending[0]) == "human"


async def test_a_run_with_a_stricter_limit_of_its_caller_is_not_answered_for(
    auto_reply: AutoReply, under_policy: RunsUnderPolicy, runs: Runs, asking: Path
) -> None:
    run = await runs.start(
        prompt(asking, "echo free"), options=StartOptions(caller_limit="agent", before_send=auto_reply.add)
    )
    report = await report_of(under_policy, run)
    assert report.status == "needs_input"
    assert AnswerRules(POLICY).decider(run, report.pending[0]) == "agent"
    assert report.decided == []


async def test_a_subagent_keeps_the_strictness_of_its_prompt_when_the_session_goes_on_to_another(
    runs: Runs, requests: Requests, asking: Path, beside: httpx.AsyncClient
) -> None:
    run = await runs.start(prompt(asking), options=StartOptions(caller_limit="reject"))
    await idle(beside, run)
    # As a subagent that OpenCode has detached, and a prompt that no bridge has noted.
    child = (await beside.post("/session", json={"parentID": run.session_id})).raise_for_status().json()["id"]
    for session, words in ((child, script(bash("echo free"))), (run.session_id, script(text("Next.")))):
        body = {"parts": [{"type": "text", "text": words}]}
        (await beside.post(f"/session/{session}/prompt_async", json=body)).raise_for_status()

    async def asked() -> str:
        found = (await beside.get("/permission")).raise_for_status().json()
        return next((request["id"] for request in found if request["sessionID"] == child), "")

    request = await eventually(asked)

    async def gone_on() -> bool:
        messages = (await beside.get(f"/session/{run.session_id}/message")).raise_for_status().json()
        return [message["info"]["role"] for message in messages].count("user") > 1

    await eventually(gone_on)
    client = requests._client  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    answers = ReplySender(client, requests, runs, AnswerRules(POLICY), client.session_get)
    found = await answers.find(request, child)
    assert (await answers.run_of(found.session, *found.parents)).caller_limit == "reject"
    with pytest.raises(NotAllowed, match="refuses this permission"):
        await answers.send(found, PermissionReply("once"), PERSON)
    await beside.post(f"/session/{child}/abort")


async def test_nobody_elses_run_is_answered_for_until_it_is_waited_for(
    auto_reply: AutoReply, under_policy: RunsUnderPolicy, runs: Runs, asking: Path, beside: httpx.AsyncClient
) -> None:
    run = await runs.start(prompt(asking, "echo free for all"))

    async def asked() -> bool:
        found = (await beside.get("/permission")).raise_for_status().json()
        return any(request["sessionID"] == run.session_id for request in found)

    await eventually(asked)
    own = await runs.start(prompt(asking, "echo free"), options=StartOptions(before_send=auto_reply.add))
    await idle(beside, own)
    assert await asked()
    assert (await report_of(under_policy, run)).text == "Done."


async def test_nothing_is_answered_under_rights_that_have_changed(
    requests: Requests, runs: Runs, asking: Path, beside: httpx.AsyncClient
) -> None:
    run = await runs.start(prompt(asking, "echo free"))
    [waiting] = (await runs.follow(run, WAIT)).pending
    client, change = requests._client, anyio.Event()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    answers = ReplySender(client, requests, runs, AnswerRules(POLICY), client.session_get, change.is_set)
    found = await answers.find(waiting.request_id)
    change.set()
    for answerer in (BY_POLICY, PERSON):
        with pytest.raises(NotAllowed, match="rights under which this was to be answered have changed"):
            await answers.send(found, PermissionReply("once"), answerer)
    assert not answers.sent
    still_open = (await beside.get("/permission")).raise_for_status().json()
    assert waiting.request_id in [request["id"] for request in still_open]
    await beside.post(f"/session/{run.session_id}/abort")


async def test_what_was_asked_while_no_events_came_is_answered_once_they_come_again(
    auto_reply: AutoReply,
    under_policy: RunsUnderPolicy,
    runs: Runs,
    asking: Path,
    proxy: Proxy,
    beside: httpx.AsyncClient,
) -> None:
    run = await runs.start(prompt(asking, "echo free at last"), options=StartOptions(before_send=auto_reply.add))
    await proxy.refuse()
    await anyio.sleep(0.3)
    proxy.accept()
    await idle(beside, run)
    assert [decision.reply for decision in (await decided(under_policy, run, 1)).decided] == ["once"]


async def test_what_a_deleted_session_left_behind_hinders_nothing(
    auto_reply: AutoReply,
    under_policy: RunsUnderPolicy,
    runs: Runs,
    asking: Path,
    proxy: Proxy,
    beside: httpx.AsyncClient,
) -> None:
    gone = await runs.start(prompt(asking, "echo of the past"))
    assert (await runs.follow(gone, WAIT)).status == "needs_input"
    (await beside.delete(f"/session/{gone.session_id}")).raise_for_status()
    run = await runs.start(prompt(asking, "echo free again"), options=StartOptions(before_send=auto_reply.add))
    await proxy.cut()
    await idle(beside, run)
    assert [decision.reply for decision in (await decided(under_policy, run, 1)).decided] == ["once"]


async def test_several_are_followed_at_once_and_policy_answers_in_each(
    under_policy: RunsUnderPolicy, runs: Runs, asking: Path
) -> None:
    started = [await runs.start(prompt(asking, f"echo free {number}")) for number in range(3)]
    reports = await under_policy.follow_all(started, Deadline.after(WAIT), no_progress, until="all")
    assert [report.text for report in reports] == ["Done."] * 3
    assert [len(report.decided) for report in reports] == [1, 1, 1]


async def test_the_first_end_is_enough_where_any_will_do(
    under_policy: RunsUnderPolicy, runs: Runs, asking: Path
) -> None:
    held = Prompt(text=script(step(hold("any"), text("Late."))), directory=str(asking))
    started = [await runs.start(held), await runs.start(prompt(asking, "echo free"))]
    reports = await under_policy.follow_all(started, Deadline.after(WAIT), no_progress, until="any")
    assert [report.status for report in reports] == ["running", "completed"]
    await runs.stop(started[0])


async def test_the_number_of_runs_that_are_answered_for_is_limited(auto_reply: AutoReply) -> None:
    for number in range(RUNS_KEPT + 10):
        auto_reply.add(Run("/p", f"ses_{number}", "msg_1"))
    assert len(auto_reply._watched) == RUNS_KEPT  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


async def test_an_answer_that_was_given_elsewhere_is_noted_in_the_session(
    auto_reply: AutoReply, under_policy: RunsUnderPolicy, runs: Runs, asking: Path, beside: httpx.AsyncClient
) -> None:
    run = await runs.start(prompt(asking, "echo mine"))
    auto_reply.add(run)
    seen = await under_policy.observe(run, Deadline.after(WAIT))
    (request,) = seen.pending
    (await beside.post(f"/permission/{request.request_id}/reply", json={"reply": "once"})).raise_for_status()

    async def noted() -> list[GivenAnswer]:
        return answers_in(await seen.client.session_get(run.session_id))

    await eventually(noted)
    (answer,) = await noted()
    assert (answer.request_id, answer.reply, answer.by) == (request.request_id, "once", "")
    assert (answer.prompt_id, bool(answer.call_id), answer.asked <= answer.answered) == (run.message_id, True, True)
