"""The scripted model as a process, and the test's hands on it."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.harness.processes.isolation import ROOT, basics
from tests.harness.processes.process import await_line, spawned
from tests.harness.servers.http import ask, loopback_client

DEADLINE = 30.0
"""Seconds within which the model must come to a hold point."""


@dataclass(frozen=True, slots=True)
class ScriptedModel:
    """A running scripted model."""

    url: str
    """Its base URL, without ``/v1``."""

    async def reached(self, hold: str) -> None:
        """Wait until the model has reached a hold point."""
        async with loopback_client(self.url, timeout=DEADLINE) as client:
            (await client.get(f"/reached/{hold}")).raise_for_status()

    async def release(self, hold: str) -> None:
        """Let the model go on from a hold point."""
        async with loopback_client(self.url) as client:
            (await client.post(f"/release/{hold}")).raise_for_status()

    async def requests(self, session: str) -> list[dict[str, Any]]:
        """Requests to the model in a session, the oldest first; the fields are those of ``conversation.Asked``."""
        async with loopback_client(self.url) as client:
            reply = await client.get("/requests", params={"session": session})
        return cast("list[dict[str, Any]]", reply.raise_for_status().json())

    def forget_holds(self) -> None:
        """Let everything go on, and begin with no hold point reached or released."""
        ask("DELETE", f"{self.url}/holds").raise_for_status()


@contextmanager
def running_model(log: Path) -> Generator[ScriptedModel]:
    """Run a scripted model on a free port until the block ends."""
    command = [sys.executable, "-m", "tests.scripted_model", "--port", "0"]
    with spawned(command, environment=basics(), log=log, directory=ROOT) as process:
        url = await_line(process, log, "http://", seconds=20)
        yield ScriptedModel(f"http://{url}")
