"""OpenCode is killed at prompts that the bridge sends by itself: each of them is in its session once, or not at all."""

import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from anyio.abc import SocketStream

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.server.batches.continuation import GO_ON
from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.faults.proxy import GONE, Proxy, serving
from tests.harness.processes.process import kill
from tests.harness.servers.model import ScriptedModel
from tests.integration.backend import Backend, backend
from tests.integration.host import Host
from tests.integration.own_opencode import AnyOpenCode, startable
from tests.scripted_model.script import hold, script, step, text

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.integration,
    pytest.mark.both_generations,
    pytest.mark.skipif(sys.platform == "win32", reason="the commands are POSIX's"),
]
SETTINGS = """
[verify]
second = "echo x >> runs.txt; test $(wc -l < runs.txt) -ge 2"
never = "false"
"""
"""Commands that pass the second time, and never."""
REPAIR = "The work was verified with this command, which failed"
SECONDS = 180


class KillingProxy(Proxy):
    """A proxy that kills OpenCode in place of passing some bytes on."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.victim: AnyOpenCode | None = None
        """The OpenCode to kill at the next request with the words of a repair."""
        self.killed = anyio.Event()

    async def _pass_requests(self, client: SocketStream, server: SocketStream) -> None:
        with suppress(*GONE):
            while True:
                data = await client.receive()
                if self.victim and REPAIR.encode() in data:
                    kill(self.victim.process)
                    self.killed.set()
                    return
                await server.send(data)


@dataclass(frozen=True, slots=True)
class Begun:
    """Work at which OpenCode was killed."""

    batch: str
    """Batch of one task, at whose repair the model worked."""
    at_work: str
    """Session at whose repair the model worked."""
    unsent: str
    """Session whose repair was on its way."""


async def begin(host: Host, model: ScriptedModel, proxy: KillingProxy, server: AnyOpenCode) -> Begun:
    """Start three pieces of work that need a repair, and kill OpenCode at it."""
    task = {"prompt": script(text("Done."), later=[step(hold("of a task"))]), "verify": "second", "repair": 1}
    batch = await host.data("opencode_run_many", tasks=[task], wait_seconds=0)
    await model.reached("of a task")
    failing = {"verify": "never", "repair": 1, "wait_seconds": 0}
    prompt = script(text("Done."), later=[step(hold("of a run"))])
    at_work = await host.data("opencode_run", prompt=prompt, **failing)
    await model.reached("of a run")
    proxy.victim = server
    unsent = await host.run(text("Done."), **failing)
    await proxy.killed.wait()
    proxy.victim = None
    return Begun(batch["batch_id"], at_work["session_id"], unsent["session_id"])


async def first_lines(opencode: Backend, session_id: str) -> list[str]:
    """Return the first line of each prompt of a session but the first."""
    return [prompt.splitlines()[0] for prompt in (await opencode.prompt_texts(session_id))[1:]]


async def test_a_prompt_of_the_bridges_own_is_not_sent_again_after_opencode_was_killed_at_it(
    opencode_generation: Generation, scripted_model: ScriptedModel, project: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    serve = startable(opencode_generation, tmp_path, scripted_model)
    with anyio.fail_after(SECONDS), serve(tmp_path / "first.log") as first, ExitStack() as servers:
        async with serving(KillingProxy(first.url)) as proxy:
            launch = attaching(tmp_path, scripted_model, replace(first, url=proxy.url), project)
            async with open_bridge(launch.within(OPENCODE_MCP_CONFIG=str(settings))) as bridge:
                host = Host(bridge)
                begun = await begin(host, scripted_model, proxy, first)
                second = await to_thread.run_sync(servers.enter_context, serve(tmp_path / "second.log"))
                ended = await host.wait(begun.unsent)
                assert (ended["status"], ended["verified"]) == ("completed", "failed")
                assert "The failure was not sent back" in ended["verification"]["note"]
                assert (await host.wait(begun.at_work))["status"] == "failed"
                [row] = (await host.wait(begun.batch))["tasks"]
                assert (row["status"], row["verified"]) == ("completed", "passed"), row
        async with backend(second, project) as opencode:
            assert await first_lines(opencode, begun.unsent) == []
            [repair] = await first_lines(opencode, begun.at_work)
            assert repair.startswith(REPAIR)
            [repair, go_on] = await first_lines(opencode, row["session_id"])
            assert (repair.startswith(REPAIR), go_on) == (True, GO_ON)
