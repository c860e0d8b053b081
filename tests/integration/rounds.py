"""Rounds of the fault test: one run, one host that never gives up, and faults that a seed chose.

The seed alone decides a round: what is run, what goes wrong and when, and how patient the host is. It ends when the
bridge reports an end, and then OpenCode itself is asked whether that is true.
"""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
import httpx
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from opencode_mcp.options import DECIDERS, Decider
from opencode_mcp.server.app import build_server
from opencode_mcp.settings import Settings
from tests.harness.bridges.bridge import DATA_READER, MODES, Era, text_of
from tests.harness.faults.lossy_proxy import LossyProxy
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.opencode import OpenCode
from tests.integration.backend import Backend
from tests.scripted_model.actions import Action, Step
from tests.scripted_model.script import bash, failure, question, script, silence, step, task, text, words, write

Json = dict[str, Any]
ENDS = frozenset({"completed", "failed", "aborted"})
NEVER_ARRIVED = "has no run yet"
HANG = 150.0
"""Seconds after which a round counts as hung: a stall takes 31 of them, a killed OpenCode a dozen."""
PAUSE = 0.05
LONG = 31.0
"""Seconds of a stall that outlasts every timeout of the bridge."""


@dataclass(frozen=True, slots=True)
class Work:
    """Steps of a run, and its end if nothing is lost."""

    steps: Sequence[Action | Step]
    status: str = "completed"
    says: str = "All done."
    """Beginning of the answer, or a part of the error."""


def works(seed: int) -> Mapping[str, Work]:
    """Every kind of run; each ends with the same words, or fails."""
    end = text("All done.")
    nested = script(bash(f"echo child {seed}"), text("The child is done."), say="Do the small part")
    return {
        "text": Work([step(words(40, chunk=2, delay=0.02)), end], says="word0 "),
        "pause": Work([step(silence(0.7), end)]),
        "edit": Work([write(f"round-{seed}.txt", f"{seed}\n"), end]),
        "permission": Work([bash(f"echo {seed}"), end]),
        "permissions": Work([step(bash(f"echo a {seed}"), bash(f"echo b {seed}")), end]),
        "question": Work([question("Which?", "Red", "Blue"), end]),
        "subagent": Work([task(nested), end]),
        "failing": Work([step(silence(0.2), failure(401, "Invalid API key"))], status="failed", says="Invalid API key"),
    }


@dataclass(slots=True)
class Round:
    """One round's dice and its result."""

    seed: int
    dice: random.Random = field(init=False)
    kind: str = field(init=False)
    work: Work = field(init=False)
    era: Era = field(init=False)
    permissions: Decider = field(init=False)
    has_person: bool = field(init=False)
    final: Json = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        dice = self.dice = random.Random(self.seed)  # noqa: S311 - chooses faults, guards nothing
        kinds = works(self.seed)
        self.kind = dice.choice(list(kinds))
        self.work = kinds[self.kind]
        self.era = dice.choice(list(MODES))
        self.permissions = dice.choice([decider for decider in DECIDERS if decider != "reject"])
        self.has_person = dice.random() < 0.5

    @property
    def title(self) -> str:
        """By which its sessions are known."""
        return f"round {self.seed}"

    def __str__(self) -> str:
        person = "a person" if self.has_person else "nobody to ask"
        return f"seed {self.seed} ({self.kind}, {self.era}, {self.permissions}, {person})"


class Desk:
    """A host's connection to a bridge that can be started anew.

    Args:
        settings: The bridge's.
        game: The round.
    """

    def __init__(self, settings: Settings, game: Round) -> None:
        self._settings = settings
        self._game = game
        self._restarts = anyio.Event()

    def restart(self) -> None:
        """End the bridge as soon as possible; the host connects to a new one."""
        self._restarts.set()

    async def stay(self, host: Callable[[Client], Awaitable[bool]]) -> None:
        """Let the host work until it is done, on one bridge after another."""
        done = False
        while not done:
            self._restarts = anyio.Event()
            with anyio.CancelScope() as connection:
                async with self._client() as client, anyio.create_task_group() as tasks:

                    async def cut() -> None:
                        await self._restarts.wait()
                        connection.cancel()

                    tasks.start_soon(cut)
                    done = await host(client)
                    tasks.cancel_scope.cancel()

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[Client]:
        server = build_server(self._settings)
        person = agree if self._game.has_person else None
        mode = MODES[self._game.era]
        async with Client(server, mode=mode, elicitation_callback=person, client_info=DATA_READER) as client:
            yield client


async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """A person who allows everything and likes red."""
    del context
    assert isinstance(params, ElicitRequestFormParams)
    fields = cast("Json", params.requested_schema["properties"])
    content: Json = {"decision": "once"} if "decision" in fields else {"answer_1": "Red"}
    return ElicitResult(action="accept", content=content)


class Host:
    """A host that calls until it has an end, and answers every request twice.

    Args:
        game: The round.
        opencode: OpenCode beside the bridge.
    """

    def __init__(self, game: Round, opencode: Backend) -> None:
        self._game = game
        self._opencode = opencode
        self._session: Json = {}
        self._refused: Json = {}
        """Error with which the bridge refused to begin the run: then it must not have begun it."""

    async def work(self, client: Client) -> bool:
        """Run the round's prompt, or go on waiting for it; true at the end."""
        self._refused = {}
        while True:
            report = await (self._wait(client) if self._session else self._start(client))
            if report.get("status") in ENDS:
                self._game.final = report
                return True
            await self._answer(client, report.get("pending", []))
            await anyio.sleep(PAUSE)

    async def _start(self, client: Client) -> Json:
        """Start it, unless an earlier call whose bridge was ended did."""
        try:
            sessions = await begun_sessions(self._game, self._opencode)
        except httpx.TransportError:
            return {}
        if sessions:
            assert not self._refused, f"it was begun, and its caller was told only {self._refused}"
            self._session = {"session_id": sessions[0]}
            return {}
        prompt = script(*self._game.work.steps, say=self._game.title)
        wait = self._game.dice.choice([0, 0.3, 5, 30])
        call = {"prompt": prompt, "title": self._game.title, "wait_seconds": wait}
        report = await self._call(client, "opencode_run", call)
        if "session_id" in report:
            self._session = {"session_id": report["session_id"]}
        else:
            self._refused = report
        return report

    async def _wait(self, client: Client) -> Json:
        wait = self._game.dice.choice([0, 0.2, 1, 5, 40])
        report = await self._call(client, "opencode_wait", {**self._session, "wait_seconds": wait})
        if NEVER_ARRIVED in report.get("error", ""):
            try:
                arrived = await given_prompts(self._session["session_id"], self._opencode)
            except httpx.TransportError:
                return report  # OpenCode is away at this moment, so it is asked again
            # OpenCode went away with the prompt on its way, so a host hands it over again.
            assert not arrived
            self._session = {}
        return report

    async def _answer(self, client: Client, pending: Sequence[Json]) -> None:
        for request in pending:
            name = {"request_id": request["request_id"], "session_id": request["session_id"], "wait_seconds": 0}
            if request["kind"] == "permission":
                tool, answer = "opencode_reply_permission", {**name, "reply": "once"}
            else:
                tool, answer = "opencode_reply_question", {**name, "answers": [["Red"]]}
            async with anyio.create_task_group() as both:
                both.start_soon(self._call, client, tool, answer)
                both.start_soon(self._call, client, tool, answer)

    async def _call(self, client: Client, tool: str, arguments: Json) -> Json:
        """Call a tool; an error must say something, and is empty data."""
        try:
            result = await client.call_tool(tool, arguments, HANG)
        except MCPError as error:
            return {"error": str(error)}
        assert isinstance(result, CallToolResult)
        if result.is_error:
            said = text_of(result)
            assert "Error executing tool" not in said, said
            return {"error": said}
        return cast("Json", result.structured_content)


async def begun_sessions(game: Round, opencode: Backend) -> list[str]:
    """Return the sessions of a round that OpenCode has a prompt of."""
    return [session_id for session_id in await opencode.titled(game.title) if await given_prompts(session_id, opencode)]


async def given_prompts(session_id: str, opencode: Backend) -> int:
    """Return the number of prompts of a session, with those that OpenCode has not begun."""
    waiting = await opencode.waiting_prompts(session_id)
    begun = await opencode.prompt_ids(session_id)
    return len({*waiting, *begun})


async def check_truth(game: Round, opencode: Backend, *, survived: bool) -> None:
    """Compare the last report with OpenCode's record: begun once, and ended as reported.

    Args:
        game: The round that ended.
        opencode: OpenCode, beside the bridge.
        survived: Whether OpenCode lived all the time; then the run went on to its own end.
    """
    report = game.final
    (session_id,) = await begun_sessions(game, opencode)
    assert report["session_id"] == session_id
    assert await given_prompts(session_id, opencode) == 1
    whole = await opencode.is_answered(session_id)
    assert (report["status"] == "completed") == whole, report
    if survived:
        assert report["status"] == game.work.status, report
        said = report["text"][: len(game.work.says)] if whole else report["error"]
        assert game.work.says in said, report
    elif not whole:
        assert report["error"], report


def settings_for(game: Round, url: str, server: OpenCode | OpenCode2, project: Path, folder: Path) -> Settings:
    """A bridge's settings for a round, at a proxy."""
    return Settings(
        url=url,
        password=server.password,
        directories=(str(project),),
        permissions=game.permissions,
        state_directory=folder / f"state-{game.seed}",
        log_level="ERROR",
    )


async def wire_faults(game: Round, proxy: LossyProxy, desk: Desk) -> None:
    """One to three faults, one after another, while the run is under way."""
    dice = game.dice
    for _ in range(dice.randint(1, 3)):
        await anyio.sleep(dice.uniform(0, 0.7))
        match dice.choice(["cut", "refuse", "stall", "lose", "restart", "cut"]):
            case "cut":
                await proxy.cut()
            case "refuse":
                await proxy.refuse()
                await anyio.sleep(dice.uniform(0, 0.4))
                proxy.accept()
            case "stall":
                proxy.stall()
                await anyio.sleep(dice.uniform(0.1, 0.8))
                proxy.resume()
            case "lose":
                share = dice.uniform(0.2, 1)
                proxy.loses = lambda: dice.random() < share  # noqa: B023 - the latest share counts
                await anyio.sleep(dice.uniform(0.3, 1.5))
                proxy.loses = lambda: False
            case _:
                desk.restart()


async def long_stall(game: Round, proxy: LossyProxy, desk: Desk) -> None:
    """Every byte waits for half a minute."""
    del desk
    await anyio.sleep(game.dice.uniform(0, 0.7))
    proxy.stall()
    await anyio.sleep(LONG)
    proxy.resume()
