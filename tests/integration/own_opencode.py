"""An OpenCode of one test, which may be killed and served again at the same address."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from opencode_mcp.opencode.versions import Generation
from tests.harness.opencode2.environment import environment as environment2
from tests.harness.opencode2.fixtures import skip_without_engine
from tests.harness.opencode2.running import OpenCode2, running_opencode2
from tests.harness.processes.isolation import environment, without_snapshots
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, free_port, running_opencode

AnyOpenCode = OpenCode | OpenCode2
Startable = Callable[[Path], AbstractContextManager[AnyOpenCode]]
"""Starts an OpenCode with a file for what it prints."""


def startable(generation: Generation, folder: Path, model: ScriptedModel) -> Startable:
    """Make a function that starts an OpenCode, each time with the same files and at the same address."""
    port = free_port()
    if generation == 1:
        variables = environment(folder / "opencode", model.url)
        without_snapshots(variables)
        return partial(running_opencode, variables, port=port, password="faults")
    skip_without_engine()
    return partial(running_opencode2, environment2(folder / "opencode", model.url), port=port, password="faults")
