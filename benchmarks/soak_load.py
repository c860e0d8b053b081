"""The load of a soak: hosts that run, answer, ignore, cancel, wait, subscribe, search, reconnect and die, all at once.

Each host does one thing in a loop until the time is over. The results are counted here and evaluated elsewhere.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.notifications import subscribe
from tests.harness.bridges.rawrpc import MODERN, Host, RawClient, open_raw
from tests.scripted_model.actions import Action, Step
from tests.scripted_model.script import bash, question, script, silence, step, text, words, write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Json = dict[str, Any]
TITLE = "Soak"
LOST = (TimeoutError, EOFError, OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)
IDS = re.compile(r"\b(?:ses|msg|per|que)_\w+")
KIND = 90
"""Characters of an error that identify its kind."""
CALLS_A_CONNECTION = 6
SUBSCRIBED = 20
"""Number of subscriptions that a host holds before it ends them."""


@dataclass(slots=True)
class Tally:
    """Counts of the results."""

    answered: Counter[str] = field(default_factory=Counter[str])
    """Good results by tool."""
    ends: Counter[str] = field(default_factory=Counter[str])
    """Reports by status."""
    errors: Counter[str] = field(default_factory=Counter[str])
    """By kind."""
    other: Counter[str] = field(default_factory=Counter[str])
    """Counts of what the hosts did beside calls."""


@dataclass(slots=True)
class Load:
    """One host's means.

    Args:
        launch: How its bridges are started.
        tally: Where it counts.
        dice: Decide what it does next.
        until: When it stops, on anyio's clock.
    """

    launch: Launch
    tally: Tally
    dice: random.Random
    until: float

    @property
    def goes_on(self) -> bool:
        """Return whether there is time left."""
        return anyio.current_time() < self.until

    async def call(self, bridge: RawClient, tool: str, /, **arguments: object) -> Json:
        """Call a tool and count what came; the data of a good result, nothing of another."""
        try:
            reply = await bridge.request("tools/call", {"name": tool, "arguments": arguments})
        except LOST as error:
            self.tally.errors[f"{tool}: no answer ({type(error).__name__})"] += 1
            return {}
        result = reply.get("result")
        if result is None or result.get("isError"):
            said = reply["error"]["message"] if result is None else result["content"][0]["text"]
            self.tally.errors[f"{tool}: {IDS.sub('ID', said)[:KIND]}"] += 1
            return {}
        self.tally.answered[tool] += 1
        data: Json = result.get("structuredContent") or {}
        if "status" in data and tool != "opencode_status":
            self.tally.ends[str(data["status"])] += 1
        return data

    async def start(self, bridge: RawClient, *steps: Action | Step, wait: float = 0) -> Json:
        """Hand over a prompt."""
        return await self.call(bridge, "opencode_run", prompt=script(*steps), title=TITLE, wait_seconds=wait)

    async def leave(self, bridge: RawClient) -> None:
        """End a connection as a host does that closes, and count how the bridge ended."""
        await bridge.close_input()
        try:
            code = await bridge.exit_code(seconds=20)
        except TimeoutError:
            self.tally.errors["a bridge did not end with its host"] += 1
            return
        self.tally.other["connections closed"] += 1
        if code:
            self.tally.errors[f"a bridge ended with {code}"] += 1


async def delegate(load: Load) -> None:
    """Run prompts to their end; reconnect every few."""
    while load.goes_on:
        async with open_raw(load.launch) as bridge:
            for number in range(CALLS_A_CONNECTION):
                end = text("All done.")
                work: Sequence[Action | Step] = load.dice.choice(
                    [[words(40, chunk=4, delay=0.01)], [write(f"soak-{number}.txt", "soak\n"), end], [end]]
                )
                await load.start(bridge, *work, wait=30)
            await load.leave(bridge)


async def ask(load: Load) -> None:
    """Run what asks, and answer, refuse, ignore or stop it."""
    async with open_raw(load.launch) as bridge:
        while load.goes_on:
            asks = load.dice.choice([bash("echo soak"), question("Which?", "Red", "Blue")])
            report = await load.start(bridge, asks, text("Heard."), wait=30)
            for request in report.get("pending", []):
                await _answer(load, bridge, report, request)


async def _answer(load: Load, bridge: RawClient, report: Json, request: Json) -> None:
    named = {"request_id": request["request_id"], "session_id": report["session_id"], "wait_seconds": 20}
    is_permission = request["kind"] == "permission"
    match load.dice.choice(["yes", "yes", "no", "ignore", "abort"]):
        case "yes" if is_permission:
            await load.call(bridge, "opencode_reply_permission", **named, reply="once")
        case "no" if is_permission:
            await load.call(bridge, "opencode_reply_permission", **named, reply="reject")
        case "yes":
            await load.call(bridge, "opencode_reply_question", **named, answers=[["Red"]])
        case "no":
            await load.call(bridge, "opencode_reply_question", **named, reject=True)
        case "ignore":
            load.tally.other["requests left unanswered"] += 1
        case _:
            await load.call(bridge, "opencode_abort", session_id=report["session_id"])


async def cancel(load: Load) -> None:
    """Cancel calls while they wait, and see later how the runs ended."""
    async with open_raw(load.launch) as bridge:
        while load.goes_on:
            started = await load.start(bridge, step(silence(0.5), words(20, chunk=2, delay=0.02)))
            if "session_id" not in started:
                continue
            waiting = {"session_id": started["session_id"], "wait_seconds": 30}
            number = await bridge.send("tools/call", {"name": "opencode_wait", "arguments": waiting})
            await anyio.sleep(load.dice.uniform(0, 0.5))
            await bridge.cancel(number)
            load.tally.other["calls cancelled"] += 1
            await load.call(bridge, "opencode_wait", **waiting)


async def wait(load: Load) -> None:
    """Start several runs, and wait for any and for all of them."""
    async with open_raw(load.launch) as bridge:
        while load.goes_on:
            reports = [await load.start(bridge, words(20, chunk=2, delay=0.02)) for _ in range(3)]
            sessions = [report["session_id"] for report in reports if "session_id" in report]
            if sessions:
                await load.call(bridge, "opencode_wait", session_ids=sessions, until="any", wait_seconds=30)
                await load.call(bridge, "opencode_wait", session_ids=sessions, until="all", wait_seconds=30)


async def search(load: Load, bridge: RawClient) -> None:
    """Read and search, with one bridge from beginning to end."""
    calls: Sequence[tuple[str, Json]] = [
        ("opencode_read_file", {"path": "."}),
        ("opencode_read_file", {"path": "README.md"}),
        ("opencode_find_files", {"query": "greet"}),
        ("opencode_find_text", {"pattern": "greet"}),
        ("opencode_list_sessions", {"limit": 5}),
        ("opencode_diff", {}),
        ("opencode_status", {}),
        ("opencode_find_operations", {"query": "session"}),
    ]
    while load.goes_on:
        tool, arguments = load.dice.choice(calls)
        await load.call(bridge, tool, **arguments)
        await anyio.sleep(0.05)


async def listen(load: Load) -> None:
    """Subscribe to sessions that change, and give the subscriptions up again."""
    async with open_raw(load.launch, Host(protocol=MODERN)) as bridge:
        while load.goes_on:
            leaves: list[Callable[[], Awaitable[None]]] = []
            for _ in range(SUBSCRIBED):
                if not load.goes_on:
                    break
                started = await load.start(bridge, step(silence(0.1), text("Changed.")))
                if "session_id" in started:
                    session = started["session_id"]
                    leaves.append(await subscribe(bridge, f"opencode://session/{session}/transcript"))
                    await load.call(bridge, "opencode_wait", session_id=session, wait_seconds=20)
            for leave in leaves:
                await leave()
            load.tally.other["subscriptions"] += len(leaves)


async def die(load: Load) -> None:
    """Kill a bridge in the middle of a run, and have the next one find the run."""
    while load.goes_on:
        async with open_raw(load.launch) as bridge:
            started = await load.start(bridge, step(silence(0.8), text("Survived.")))
            bridge.process.kill()
            load.tally.other["bridges killed"] += 1
        if "session_id" in started:
            async with open_raw(load.launch) as bridge:
                report = await load.call(bridge, "opencode_wait", session_id=started["session_id"], wait_seconds=30)
                if report.get("status") != "completed":
                    load.tally.errors["a run did not outlive its bridge"] += 1
                await load.leave(bridge)


HOSTS = (delegate, ask, cancel, wait, listen, die)
