"""OpenCode 2 in trouble, as a host sees it: no run is lost, and errors say what is wrong and what to do."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.faults.altered import Altered, altered
from tests.harness.faults.slow_proxy import SlowProxy, slow_proxy_to
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.integration.backend2 import Backend2
from tests.integration.host import Host, meanwhile
from tests.scripted_model.script import bash, hold, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SECONDS = 180
STARTING = 503
FAILED = 500
SESSIONS = "/api/session"
INFO, ACTIVE = "/api/info", "/api/session/active"


@pytest.fixture
def between(opencode2: OpenCode2) -> Generator[Altered]:
    with altered(opencode2.url) as server:
        yield server


@pytest.fixture
def launch(
    between: Altered, opencode2: OpenCode2, scripted_model: ScriptedModel, shared_project: Path, tmp_path: Path
) -> Launch:
    """A bridge that reaches OpenCode 2 through a server that can do otherwise."""
    return attaching(tmp_path, scripted_model, as_server(opencode2, between.url), shared_project)


@pytest.fixture
async def opencode(opencode2: OpenCode2, shared_project: Path) -> AsyncGenerator[Backend2]:
    async with Backend2(opencode2.client(shared_project), shared_project) as seen:
        yield seen


def as_server(server: OpenCode2, url: str) -> OpenCode:
    """Take the address of a proxy for that of the server."""
    return cast("OpenCode", replace(server, url=url))


@asynccontextmanager
async def connected(launch: Launch) -> AsyncGenerator[Host]:
    with anyio.fail_after(SECONDS):
        async with open_bridge(launch) as bridge:
            yield Host(bridge)


async def asked_again(between: Altered, path: str, times: int = 2) -> None:
    """Wait until the bridge has asked for a path several times more."""
    before = sum(asked == path for _, asked in between.requests)

    async def look() -> bool:
        return sum(asked == path for _, asked in between.requests) >= before + times

    await eventually(look, seconds=60)


async def test_a_server_that_is_starting_is_waited_for(launch: Launch, between: Altered) -> None:
    between.refusals[INFO] = STARTING
    async with connected(launch) as host, meanwhile(partial(host.run, text("Ready."))) as reports:
        await asked_again(between, INFO)
        between.refusals.clear()
    assert (reports[0]["status"], reports[0]["text"]) == ("completed", "Ready.")


async def test_a_server_that_refuses_in_the_middle_of_a_run_costs_the_run_nothing(
    launch: Launch, between: Altered, scripted_model: ScriptedModel
) -> None:
    answer = step(text("Before. "), hold("refused"), text("After."))
    async with connected(launch) as host, meanwhile(partial(host.run, answer)) as reports:
        await scripted_model.reached("refused")
        between.refusals[""] = STARTING
        await asked_again(between, ACTIVE)
        between.refusals.clear()
        await scripted_model.release("refused")
    assert (reports[0]["status"], reports[0]["text"]) == ("completed", "Before. After.")


async def test_a_wait_that_ends_while_the_server_refuses_says_so_and_the_next_one_has_the_end(
    launch: Launch, between: Altered, scripted_model: ScriptedModel
) -> None:
    async with connected(launch) as host:
        session = await host.start(step(hold("later"), text("Done after all.")))
        await scripted_model.reached("later")
        between.refusals[""] = STARTING
        error = await host.error("opencode_wait", session_id=session, wait_seconds=0)
        assert "503" in error
        assert "Call again" in error
        between.refusals.clear()
        await scripted_model.release("later")
        report = await host.wait(session)
    assert (report["status"], report["text"]) == ("completed", "Done after all.")


async def test_a_web_page_in_place_of_an_answer_costs_a_run_nothing(
    launch: Launch, between: Altered, scripted_model: ScriptedModel
) -> None:
    answer = step(text("Before. "), hold("page"), text("After."))
    async with connected(launch) as host, meanwhile(partial(host.run, answer)) as reports:
        await scripted_model.reached("page")
        between.lacks.add(ACTIVE)
        await asked_again(between, ACTIVE)
        between.lacks.clear()
        await scripted_model.release("page")
    assert (reports[0]["status"], reports[0]["text"]) == ("completed", "Before. After.")


async def test_a_server_that_answers_with_web_pages_alone_is_not_taken_for_opencode(
    launch: Launch, between: Altered
) -> None:
    between.lacks |= {INFO, "/global/health", "/api/health", "/path"}
    async with connected(launch) as host:
        error = await host.error("opencode_run", prompt="x")
    assert f"The program at {between.url} is not an OpenCode server." in error
    assert "status 200 and text/html" in error


@pytest.mark.parametrize("password", ["open-sesame", "pair_1234567890"], ids=["wrong", "pairing token"])
async def test_a_wrong_password_is_reported_without_being_repeated(launch: Launch, password: str) -> None:
    unlocked = launch.within(OPENCODE_MCP_PASSWORD=password)
    async with connected(unlocked) as host:
        error = await host.error("opencode_run", prompt="x")
    assert "OpenCode refused the password." in error
    assert "The user name of OpenCode 2 is always opencode." in error
    assert "A pairing token is no lasting password." in error
    assert password not in error + unlocked.printed()


async def test_a_list_of_sessions_that_fails_costs_no_answer_no_view_and_no_stop(
    launch: Launch, between: Altered, scripted_model: ScriptedModel
) -> None:
    async with connected(launch.with_flags("--permissions", "agent")) as host:
        report = await host.run(bash("echo allowed"), step(hold("list fails"), text("Never.")), agent="asking")
        session, (request,) = report["session_id"], report["pending"]
        between.refusals[SESSIONS] = FAILED
        answer = {"request_id": request["request_id"], "reply": "once", "wait_seconds": 0}
        await host.data("opencode_reply_permission", session_id=session, **answer)
        await scripted_model.reached("list fails")
        assert "running" in await host.text("opencode_session", session_id=session)
        stopped = await host.data("opencode_abort", session_id=session)
        error = await host.error("opencode_run", prompt="x")
        between.refusals.clear()
    assert stopped["status"] == "aborted"
    assert "OpenCode itself failed" in error


@pytest.fixture
async def slow(opencode2: OpenCode2) -> AsyncGenerator[SlowProxy]:
    async with slow_proxy_to(opencode2.url) as proxy:
        proxy.holds = lambda _request: False
        yield proxy


async def test_a_run_whose_event_stream_stays_cut_is_asked_about_and_ends(
    slow: SlowProxy,
    opencode2: OpenCode2,
    scripted_model: ScriptedModel,
    shared_project: Path,
    opencode: Backend2,
    tmp_path: Path,
) -> None:
    launch = attaching(tmp_path, scripted_model, as_server(opencode2, slow.url), shared_project)
    launch = launch.with_flags("--permissions", "agent")
    async with connected(launch) as host:
        session = await host.start(step(hold("cut"), bash("echo cut")), text("Ended."), agent="asking")
        await scripted_model.reached("cut")
        slow.holds = lambda request: b"/api/event" in request.split(b"\r\n", 1)[0]
        await slow.cut()
        await eventually(partial(waits, slow), seconds=60)
        async with meanwhile(partial(host.wait, session)) as reports:
            await scripted_model.release("cut")
        assert reports[0]["status"] == "needs_input"
        (request,) = reports[0]["pending"]
        report = await host.data(
            "opencode_reply_permission", session_id=session, request_id=request["request_id"], reply="once"
        )
        slow.release()
    assert (report["status"], report["text"]) == ("completed", "Ended.")
    assert await opencode.prompts(session) == 1


async def waits(slow: SlowProxy) -> int:
    """Return how many requests are held back."""
    return slow.waiting


async def test_a_person_at_a_terminal_prompts_and_answers_in_between(
    launch: Launch, scripted_model: ScriptedModel, opencode: Backend2
) -> None:
    mine = step(hold("mine"), bash("echo between"))
    async with connected(launch.with_flags("--permissions", "agent")) as host:
        started = await host.run(mine, text("Mine."), agent="asking", wait_seconds=0)
        session, run = started["session_id"], {"message_id": started["message_id"]}
        await scripted_model.reached("mine")
        await opencode.post(f"/api/session/{session}/prompt", queued(script(text("Theirs."), say="Theirs")))
        await scripted_model.release("mine")
        waiting = await host.wait(session, **run)
        assert waiting["status"] == "needs_input"
        await opencode.allow(await opencode.asked(session))
        ended = await host.wait(session, **run)
        latest = await host.wait(session)
    assert (ended["status"], ended["text"], ended["message_id"]) == ("completed", "Mine.", run["message_id"])
    assert (latest["status"], latest["text"]) == ("completed", "Theirs.")
    assert latest["message_id"] != run["message_id"]


async def test_a_prompt_that_waits_in_the_inbox_says_so_and_the_one_ahead_can_be_stopped(
    launch: Launch, scripted_model: ScriptedModel, opencode: Backend2
) -> None:
    async with connected(launch) as host:
        ahead = await host.run(step(hold("ahead"), text("Ahead.")), wait_seconds=0)
        session, mine = ahead["session_id"], ahead["message_id"]
        await scripted_model.reached("ahead")
        await opencode.post(f"/api/session/{session}/prompt", queued(script(text("Theirs."), say="Theirs")))
        behind = await host.wait(session, wait_seconds=0)
        refused = await host.error("opencode_abort", session_id=session, message_id=behind["message_id"])
        stopped = await host.data("opencode_abort", session_id=session, message_id=mine)
        left = await host.wait(session)
    assert behind["message_id"] != mine
    assert (behind["status"], behind.get("text", ""), behind.get("tokens")) == ("running", "", None)
    assert f"waits in the inbox of the session until {mine} has ended" in behind["activity"]
    assert f"works on: {mine} is" in refused
    assert (stopped["status"], stopped["message_id"]) == ("aborted", mine)
    assert "1 other prompt waits in the inbox of the session" in stopped["note"]
    assert (left["status"], left["message_id"]) == ("aborted", behind["message_id"])
    assert "It is still in the inbox" in left["note"]


async def test_a_form_that_waits_in_an_idle_session_is_shown_and_answered(launch: Launch, opencode: Backend2) -> None:
    async with connected(launch) as host:
        session = await host.start(text("Done."))
        await host.wait(session)
        form = await opencode.open_form(session, "Which colour?")
        seen = await host.data("opencode_session", session_id=session)
        assert (seen["status"], seen["last_run"]["outcome"]) == ("needs_input", "completed")
        assert [request["request_id"] for request in seen["pending"]] == [form]
        assert f'opencode_reply_question(request_id="{form}"' in seen["next"]
        rows = (await host.data("opencode_list_sessions"))["sessions"]
        assert [(row["status"], row["outcome"]) for row in rows if row["session_id"] == session] == [
            ("needs_input", "completed")
        ]
        assert f"{session} · needs_input, last run completed · " in await host.text("opencode_list_sessions")
        assert (await host.data("opencode_status"))["needs_input"][session] == "A plugin asks Which colour?"
        report = await host.data("opencode_reply_question", request_id=form, answers=[["red"]])
        assert (report["status"], report["text"]) == ("completed", "Done.")
        assert await opencode.form_answer(session, form) == {"q0": "red"}
        assert "pending" not in await host.data("opencode_session", session_id=session)
        assert session not in (await host.data("opencode_status")).get("needs_input", {})


async def test_a_form_of_a_client_neither_interrupts_a_run_nor_stops_its_clock(
    launch: Launch, opencode: Backend2
) -> None:
    async with connected(launch) as host:
        session = await opencode.new_session()
        forms = [await opencode.open_form(session, "Which colour?")]
        await host.start(step(text("Go on."), hold("asked")), session_id=session, max_minutes=0.08)
        forms.append(await opencode.open_form(session, "Which size?"))
        looked = await host.wait(session, wait_seconds=0)
        report = await host.wait(session)
        seen = await host.data("opencode_session", session_id=session)
    assert (looked["status"], looked["pending"]) == ("running", [])
    assert f"A client asks something in the session ({', '.join(forms)})" in looked["next"]
    assert (report["status"], report.get("waited", 0)) == ("aborted", 0)
    assert report["shortfall"].endswith("working time: the limit is 0.08 min.")
    assert [request["request_id"] for request in seen["pending"]] == forms


async def test_a_form_in_a_session_without_a_run_is_answered_and_dismissed(launch: Launch, opencode: Backend2) -> None:
    async with connected(launch.with_flags("--permissions", "agent")) as host:
        session = await opencode.new_session()
        form = await opencode.open_form(session, "Which colour?")
        assert form in (await host.data("opencode_session", session_id=session))["next"]
        said = await host.text("opencode_reply_question", request_id=form, answers=[["red"]])
        assert said == f"OpenCode has the answer. The session {session} has no run to wait for."
        other = await opencode.open_form(session, "Which size?")
        assert "no run" in await host.text("opencode_reply_question", request_id=other, reject=True)
        assert "pending" not in await host.data("opencode_session", session_id=session)
        said = await host.text("opencode_reply_question", request_id=other, reject=True, session_id=session)
        assert said.startswith("It is not open any more.")


def queued(words: str) -> dict[str, Any]:
    """Return the body of a prompt that waits until the session has nothing else to do."""
    return {"text": words, "delivery": "queue"}
