"""Agents of other libraries delegate over HTTP, as the examples show. Their libraries are not installed with the tests.

``AGENTS`` names a folder with a virtual environment for each: ``examples/README.md`` says how to make them.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.served import serving
from tests.harness.processes.isolation import ROOT, basics
from tests.harness.servers.model import ScriptedModel
from tests.http.operator import Operator
from tests.scripted_model.script import script, text, tool

pytestmark = pytest.mark.integration

EXAMPLES: Mapping[str, bool] = {"openai_agent": True, "pydantic_agent": True, "langchain_agent": False}
"""Each example, and whether a model decides what it calls."""


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_agent_delegates(
    example: str, launch: Launch, scripted_model: ScriptedModel, tmp_path: Path, project: Path
) -> None:
    python = Path(os.environ.get("AGENTS", "none")) / example / "bin" / "python"
    if not python.exists():
        pytest.skip("AGENTS names no folder with the library of this example")
    operator = Operator(tmp_path)
    token = operator.token("new", "agent", "--directory", str(project))
    task = script(text("OpenCode has done it."))
    prompt = script(tool("opencode_run", prompt=task), text("The agent is done.")) if EXAMPLES[example] else task
    launch = Launch((), {**launch.environment, "OPENCODE_MCP_CONFIG": str(operator.settings)}, launch.log)
    with serving(launch, "--log-level", "WARNING") as served:
        variables = basics() | {
            "OPENCODE_BRIDGE": served.url,
            "OPENCODE_BRIDGE_TOKEN": token,
            "OPENAI_BASE_URL": f"{scripted_model.url}/v1",
            "OPENAI_API_KEY": "none",
            "AGENT_MODEL": "m1",
            "NO_PROXY": "*",
        }
        done = subprocess.run(  # noqa: S603 - our own example
            [str(python), str(ROOT / "examples" / f"{example}.py"), prompt],
            env=variables,
            capture_output=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert ("The agent is done." if EXAMPLES[example] else "OpenCode has done it.") in done.stdout
    assert '"tool": "opencode_run"' in served.launch.printed()
    assert '"outcome": "ok"' in served.launch.printed()
