"""Messages of a real OpenCode 2: each kind of run shows its end, and belongs to its prompt."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from uuid import uuid4

import anyio
import pytest
from opencode import AsyncOpencode
from opencode.types import ModelRef, SessionTextDeltaEvent

from opencode_mcp.diffs.authorship import work_of
from opencode_mcp.markdown.transcript import render_transcript
from opencode_mcp.opencode.v2.messages.conversation import to_messages
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.outcome.answer_summary import summarise
from opencode_mcp.runs.outcome.state import State
from opencode_mcp.runs.reports.merged_prompts import merged_with
from opencode_mcp.runs.run_record import answers_in
from tests.harness.failures import unwrapped
from tests.harness.opencode2.driving import event_log, kinds, prompt
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.harness.waiting import eventually
from tests.opencode.v2.lists import only_call, verdict
from tests.scripted_model.opencode2 import edit, shell, subagent, write
from tests.scripted_model.script import failure, hold, reasoning, script, step, text, tool

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
LIMIT = 60.0


class _Kinds:
    """Runs of each kind; each method leaves a session that is idle and returns its id.

    Args:
        client: Drives OpenCode.
        server: The same, for what the client has no method for.
        model: Holds the runs that are interrupted.
    """

    def __init__(self, client: AsyncOpencode, server: OpenCode2, model: ScriptedModel) -> None:
        self._client = client
        self._server = server
        self._model = model

    async def _done(self, words: str) -> str:
        session = await prompt(self._client, words)
        await self._client.session.wait(session)
        return session

    async def text(self) -> str:
        return await self._done(script(step(reasoning("Hm."), text("Hello."))))

    async def tools(self) -> str:
        first = step(write("edited/a.txt", "one\n"), shell("echo hi; exit 4"))
        return await self._done(script(first, edit("edited/a.txt", "one", "two"), text("Edited.")))

    async def failure(self) -> str:
        return await self._done(script(failure(401, "Invalid API key")))

    async def unknown_model(self) -> str:
        session = (await self._client.session.create(model=ModelRef(id="nope", provider_id="scripted"))).id
        await self._client.session.prompt(session, text=script(text("Never said.")))
        await self._client.session.wait(session)
        return session

    async def interrupt(self) -> str:
        name = uuid4().hex
        async with event_log(self._client) as log:
            session = await prompt(self._client, script(step(text("Before."), hold(name), text("After."))))
            # The model has sent these words when it is held; OpenCode has to have read them too.
            await log.of_kind(SessionTextDeltaEvent, session)
            await self._model.reached(name)
            return await self._interrupted(session)

    async def interrupted_retry(self) -> str:
        session = await prompt(self._client, script(failure(500, "Busy"), text("Never said.")))

        async def is_retrying() -> bool:
            return any(getattr(item, "retry", None) for item in (await self._client.message.list(session)).data)

        await eventually(is_retrying, seconds=LIMIT)
        return await self._interrupted(session)

    async def _interrupted(self, session: str) -> str:
        await self._client.session.interrupt(session)
        await self._client.session.wait(session)
        return session

    async def subagent(self) -> str:
        return await self._done(script(subagent(script(text("The child's."))), text("The parent's.")))

    async def background(self) -> str:
        call = tool("subagent", agent="general", description="d", prompt=script(text("Late.")), background=True)
        session = await prompt(self._client, script(call, text("Begun.")))

        async def has_reported() -> bool:
            return (await kinds(self._client, session))[-3:] == ["synthetic", "assistant", "idle"]

        await eventually(has_reported, seconds=LIMIT)
        return session

    async def joined(self) -> str:
        name = uuid4().hex
        session = await prompt(self._client, script(step(hold(name), shell("true")), text("Both.")))
        await self._model.reached(name)
        await self._client.session.prompt(session, text="And this.", delivery="steer")
        await self._model.release(name)
        await self._client.session.wait(session)
        return session

    async def shell_and_compaction(self) -> str:
        session = await self.text()
        async with self._server.client() as http:
            place = f"/api/session/{session}"
            (await http.post(f"{place}/shell", json={"command": "echo out; exit 3"})).raise_for_status()
            (await http.post(f"{place}/compact", json={})).raise_for_status()
        await self._client.session.wait(session)
        return session


@pytest.fixture(scope="module")
async def sessions(
    opencode2: OpenCode2, shared_project: Path, scripted_model: ScriptedModel
) -> Mapping[str, list[Message]]:
    """The messages of a session of each kind, by its name."""
    found: dict[str, list[Message]] = {}
    async with (
        AsyncOpencode(opencode2.url, password=opencode2.password, directory=shared_project, timeout=LIMIT) as client,
        opencode2.client() as http,
    ):
        runs = _Kinds(client, opencode2, scripted_model)

        async def keep(make: Callable[[], Awaitable[str]]) -> None:
            session = await make()
            reply = await http.get(f"/api/session/{session}/message", params={"order": "asc", "limit": "200"})
            found[make.__name__] = to_messages(reply.json()["data"], session)

        with unwrapped():
            await keep(runs.text)
            async with anyio.create_task_group() as tasks:
                for make in (
                    runs.tools,
                    runs.failure,
                    runs.unknown_model,
                    runs.interrupt,
                    runs.interrupted_retry,
                    runs.subagent,
                    runs.background,
                    runs.joined,
                    runs.shell_and_compaction,
                ):
                    tasks.start_soon(keep, make)
    return found


ENDS = {
    "text": (State.COMPLETED, "Hello.", ""),
    "tools": (State.COMPLETED, "Edited.", ""),
    "failure": (State.FAILED, "", "Invalid API key"),
    "unknown_model": (State.FAILED, "", "Model unavailable: scripted/nope"),
    "interrupt": (State.ABORTED, "Before.", "Step interrupted"),
    "interrupted_retry": (State.ABORTED, "", "The run was interrupted"),
    "subagent": (State.COMPLETED, "The parent's.", ""),
    "background": (State.COMPLETED, "Begun.", ""),
    "joined": (State.COMPLETED, "You said: And this.", ""),
    "shell_and_compaction": (State.COMPLETED, "Hello.", ""),
}


async def test_each_kind_of_run_shows_its_end_and_its_answer(sessions: Mapping[str, list[Message]]) -> None:
    for kind, (state, words, error) in ENDS.items():
        messages = sessions[kind]
        first = messages[0].info.id
        summary = summarise(answers_in(messages, first))
        assert (kind, verdict(messages, first)[0], summary.text) == (kind, state, words)
        assert error in summary.error


async def test_a_run_keeps_its_cost_tools_and_files(sessions: Mapping[str, list[Message]]) -> None:
    messages = sessions["tools"]
    summary = summarise(answers_in(messages, messages[0].info.id))
    assert (summary.model, summary.agent, summary.tokens.input) == ("scripted/m1", "build", 300)
    assert summary.cost == pytest.approx(3 * 0.00014)
    assert work_of(messages, Session(id="ses_1", directory="/p")).files == {"/p/edited/a.txt"}
    output = render_transcript(messages)
    assert '- `shell(command="echo hi; exit 4", description="Run a command")` exit code 4 →' in output
    assert "`edit(" in output
    assert "+1 -1" in output


async def test_a_call_leads_to_its_subagents_session(sessions: Mapping[str, list[Message]]) -> None:
    messages = sessions["subagent"]
    assert only_call(messages[1]).child_session.startswith("ses_")
    assert only_call(messages[1]).state.output == "The child's."


async def test_a_prompt_that_joined_shares_the_answer(sessions: Mapping[str, list[Message]]) -> None:
    messages = sessions["joined"]
    first, second = (message.info.id for message in messages if message.info.role == "user")
    assert merged_with(messages, first) == [second]


async def test_a_shell_line_and_a_compaction_have_answers_of_their_own(sessions: Mapping[str, list[Message]]) -> None:
    messages = sessions["shell_and_compaction"]
    *_, shell_line, output, compaction, summary = messages
    assert answers_in(messages, shell_line.info.id) == [output]
    assert answers_in(messages, compaction.info.id) == [summary]
    shown_text = render_transcript(messages)
    assert '- `shell(command="echo out; exit 3")` exit code 3 → `out`' in shown_text
    assert "replaced by a summary (as asked)" in shown_text
