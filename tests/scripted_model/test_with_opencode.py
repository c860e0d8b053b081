"""Each kind of step makes a real OpenCode do what it is there for."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.harness.project import configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.harness.waiting import eventually
from tests.scripted_model.actions import Action, Step
from tests.scripted_model.script import (
    bash,
    cut,
    failure,
    finish,
    hold,
    question,
    reasoning,
    script,
    step,
    structured,
    task,
    text,
    todos,
    tool,
    usage,
    words,
    write,
)

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
Json = dict[str, Any]


class Session:
    """One session, driven over plain HTTP."""

    def __init__(self, http: httpx.AsyncClient, session_id: str) -> None:
        self.http = http
        self.id = session_id

    async def ask(self, *steps: Action | Step, **fields: object) -> Json:
        """Post a scripted prompt and return OpenCode's reply when it is done."""
        reply = await self.http.post(f"/session/{self.id}/message", json=prompt(*steps) | fields)
        return cast("Json", reply.raise_for_status().json())

    async def start(self, *steps: Action | Step) -> None:
        """Post a scripted prompt without waiting."""
        (await self.http.post(f"/session/{self.id}/prompt_async", json=prompt(*steps))).raise_for_status()

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Read JSON."""
        return (await self.http.get(path)).raise_for_status().json()

    async def pending(self, path: str) -> Json:
        """Wait for a permission or question of this session."""

        async def look() -> Json | None:
            return next((asked for asked in await self.get(path) if asked["sessionID"] == self.id), None)

        return cast("Json", await eventually(look))

    async def finished(self) -> Json:
        """Wait for the last message to be complete, and return it."""

        async def look() -> Json | None:
            last = (await self.get(f"/session/{self.id}/message"))[-1]
            done = last["info"]["role"] == "assistant" and "completed" in last["info"]["time"]
            busy = self.id in await self.get("/session/status")
            return last if done and not busy else None

        return cast("Json", await eventually(look))


def prompt(*steps: Action | Step) -> Json:
    return {"parts": [{"type": "text", "text": script(*steps)}]}


def said(message: Json, kind: str = "text") -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == kind)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project for all tests of this module."""
    return make_project(tmp_path_factory.mktemp("scripted"))


@pytest.fixture
async def session(opencode_server: OpenCode, project: Path) -> AsyncIterator[Session]:
    async with opencode_server.client(project) as http:
        created = await http.post("/session", json={})
        yield Session(http, created.json()["id"])


async def test_a_text_is_the_answer(session: Session) -> None:
    assert said(await session.ask(text("All is well."))) == "All is well."


async def test_a_prompt_without_a_script_is_echoed(session: Session) -> None:
    body = {"parts": [{"type": "text", "text": "Good morning"}]}
    reply = await session.http.post(f"/session/{session.id}/message", json=body)
    assert said(reply.json()) == "You said: Good morning"


async def test_a_long_text_comes_in_order(session: Session) -> None:
    text_received = said(await session.ask(words(200, chunk=10)))
    assert text_received.split() == [f"word{number}" for number in range(200)]


async def test_reasoning_precedes_the_text(session: Session) -> None:
    message = await session.ask(step(reasoning("Let me think."), text("Thought.")))
    assert said(message, "reasoning") == "Let me think."
    assert said(message) == "Thought."


async def test_a_tool_call_writes_a_file_and_the_next_step_ends_the_run(session: Session, project: Path) -> None:
    message = await session.ask(write("made/new.txt", "content\n"), text("Written."))
    assert (project / "made/new.txt").read_text(encoding="utf-8") == "content\n"
    assert said(message) == "Written."


async def test_tools_called_together_all_run(session: Session, project: Path) -> None:
    await session.ask(step(text("Two at once."), bash("echo one > one.txt"), bash("echo two > two.txt")))
    assert [(project / name).read_text(encoding="utf-8") for name in ("one.txt", "two.txt")] == ["one\n", "two\n"]


async def test_what_tools_answered_is_on_record(session: Session, scripted_model: ScriptedModel) -> None:
    await session.ask(tool("read", filePath="docs/notes.txt"), text("Read."))
    asked = [request for request in await scripted_model.requests(session.id) if request["kind"] == "chat"]
    assert [request["step"] for request in asked] == [0, 1]
    assert "three" in asked[1]["results"][0]


async def test_to_dos_are_kept(session: Session) -> None:
    await session.ask(todos(("Plan", "completed"), ("Build", "in_progress")), text("Noted."))
    kept = await session.get(f"/session/{session.id}/todo")
    assert [(todo["content"], todo["status"]) for todo in kept] == [("Plan", "completed"), ("Build", "in_progress")]


async def test_a_question_waits_for_its_answer(session: Session) -> None:
    await session.start(question("Which colour?", "Red", "Blue"), text("Thanks."))
    asked = await session.pending("/question")
    assert [option["label"] for option in asked["questions"][0]["options"]] == ["Red", "Blue"]
    await session.http.post(f"/question/{asked['id']}/reply", json={"answers": [["Blue"]]})
    assert said(await session.finished()) == "Thanks."


async def test_a_project_that_asks_first_holds_a_command_until_it_is_allowed(session: Session, project: Path) -> None:
    async with configured(session, project, {"permission": {"bash": "ask"}}):
        await session.start(bash("echo done > done.txt"), text("Ran."))
        asked = await session.pending("/permission")
        assert asked["metadata"]["command"] == "echo done > done.txt"
        assert not (project / "done.txt").exists()
        await session.http.post(f"/permission/{asked['id']}/reply", json={"reply": "once"})
        assert said(await session.finished()) == "Ran."
        assert (project / "done.txt").exists()


@asynccontextmanager
async def configured(session: Session, project: Path, config: Json) -> AsyncGenerator[None]:
    """Give the project settings for the length of the block; OpenCode reads them when it opens the project again."""
    try:
        configure(project, config)
        await session.http.post("/instance/dispose")
        yield
    finally:
        configure(project, {})
        await session.http.post("/instance/dispose")


async def test_a_refusal_ends_the_run_with_its_status(session: Session) -> None:
    message = await session.ask(failure(401, "Invalid API key"))
    assert message["info"]["error"]["data"]["statusCode"] == 401
    assert "Invalid API key" in message["info"]["error"]["data"]["message"]


async def test_a_failure_that_passes_is_tried_again(session: Session, scripted_model: ScriptedModel) -> None:
    patience = {"retry-after-ms": "50"}
    message = await session.ask(step(failure(429, "Slow down", headers=patience, times=2), text("Now it works.")))
    assert said(message) == "Now it works."
    asked = [request["kind"] for request in await scripted_model.requests(session.id)]
    assert asked.count("chat") == 3


async def test_a_failure_that_stays_shows_as_a_retry(session: Session) -> None:
    await session.start(failure(429, "Slow down", headers={"retry-after": "3600"}))

    async def look() -> Json | None:
        status = (await session.get("/session/status")).get(session.id, {})
        return status if status.get("type") == "retry" else None

    status = await eventually(look)
    assert status
    assert "Slow down" in status["message"]
    await session.http.post(f"/session/{session.id}/abort")


async def test_a_cut_stream_is_tried_again(session: Session, scripted_model: ScriptedModel) -> None:
    message = await session.ask(step(text("Half of"), cut(times=1), text(" the answer")))
    assert said(message).endswith("Half of the answer")
    asked = [request["kind"] for request in await scripted_model.requests(session.id)]
    assert asked.count("chat") == 2


async def test_an_overflow_makes_opencode_compact(session: Session) -> None:
    await session.ask(text("Something to forget."))
    await session.ask(step(failure(400, "Too long", code="context_length_exceeded", times=1), text("After.")))
    messages = await session.get(f"/session/{session.id}/message")
    assert any(message["info"].get("summary") is True for message in messages)


async def test_a_structured_answer_arrives_as_data(session: Session) -> None:
    schema = {"type": "object", "properties": {"answer": {"type": "number"}}, "required": ["answer"]}
    message = await session.ask(structured({"answer": 42}), format={"type": "json_schema", "schema": schema})
    assert message["info"]["structured"] == {"answer": 42}


async def test_a_subagent_follows_its_own_script(session: Session, project: Path) -> None:
    nested = script(write("child.txt", "by the child\n"), text("The child is done."), say="Do the small part")
    message = await session.ask(task(nested), text("All parts are done."))
    children = await session.get(f"/session/{session.id}/children")
    assert (project / "child.txt").exists()
    assert said(message) == "All parts are done."
    assert said((await session.get(f"/session/{children[0]['id']}/message"))[-1]) == "The child is done."


async def test_the_reason_for_the_end_and_the_tokens_are_as_reported(session: Session) -> None:
    message = await session.ask(step(text("Cut sho"), finish("length"), usage(input=1000, output=500)))
    assert message["info"]["finish"] == "length"
    assert message["info"]["tokens"]["input"] == 1000
    assert message["info"]["cost"] == pytest.approx(0.002)


async def test_a_hold_keeps_the_run_busy_until_it_is_released(session: Session, scripted_model: ScriptedModel) -> None:
    await session.start(step(text("Before. "), hold(session.id), text("After.")))
    await scripted_model.reached(session.id)
    assert session.id in await session.get("/session/status")
    await scripted_model.release(session.id)
    assert said(await session.finished()) == "Before. After."


async def test_a_held_run_can_be_aborted(session: Session, scripted_model: ScriptedModel) -> None:
    await session.start(step(text("Before. "), hold(session.id), text("After.")))
    await scripted_model.reached(session.id)
    await session.http.post(f"/session/{session.id}/abort")
    message = await session.finished()
    assert message["info"]["error"]["name"] == "MessageAbortedError"


async def test_the_session_is_titled_after_what_the_prompt_says(session: Session) -> None:
    await session.ask(text("Fine."))

    async def look() -> bool:
        return (await session.get(f"/session/{session.id}"))["title"] == "Do as the script says."

    assert await eventually(look)


async def test_a_variant_and_a_model_reach_the_provider(session: Session, scripted_model: ScriptedModel) -> None:
    await session.ask(text("Fine."), model={"providerID": "scripted", "modelID": "m2"}, variant="high")
    asked = [request for request in await scripted_model.requests(session.id) if request["kind"] == "chat"]
    assert [(request["model"], request["effort"]) for request in asked] == [("m2", "high")]


async def test_a_script_with_a_mistake_fails_the_run_with_the_reason(session: Session) -> None:
    body = {"parts": [{"type": "text", "text": "SCRIPT: [[{}]]"}]}
    reply = await session.http.post(f"/session/{session.id}/message", json=body)
    assert "The script cannot be read" in reply.json()["info"]["error"]["data"]["message"]


async def test_a_provider_without_credentials_is_known_and_not_connected(session: Session) -> None:
    providers = await session.get("/provider")
    assert "anthropic" in [provider["id"] for provider in providers["all"]]
    assert providers["connected"] == ["scripted"]
