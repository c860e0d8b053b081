"""Processes that OpenCode starts do not inherit the password of its server."""

import sys
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from opencode_mcp.launcher.health import connected
from opencode_mcp.launcher.launcher import Launcher
from opencode_mcp.opencode.vocabulary.submission import PromptSubmission, ShellSubmission
from opencode_mcp.runs.prompting.message_ids import new_message_id
from opencode_mcp.settings import Settings
from tests.harness.project import configure
from tests.harness.waiting import eventually
from tests.launcher.conftest import read
from tests.scripted_model.script import bash, script, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.mark.skipif(sys.platform == "win32", reason="the programs of this test are shell scripts")
async def test_no_program_that_opencode_starts_has_the_password(
    settings: Settings, project: Path, tmp_path: Path
) -> None:
    dump = tmp_path / "dump"
    dump.write_text('#!/bin/sh\nenv > "$1.part"; mv "$1.part" "$1"; sleep 2\n', encoding="utf-8")
    dump.chmod(0o755)
    mcp, pty, shell, tool = (tmp_path / f"{name}.env" for name in ("mcp", "pty", "shell", "tool"))
    configure(project, {"mcp": {"dump": {"type": "local", "command": [str(dump), str(mcp)]}}})
    environment = {**settings.environment, "OPENCODE_PURE": "1"}
    async with aclosing(Launcher(replace(settings, environment=environment))) as launcher:
        endpoint = await launcher.locate()
        async with connected(endpoint) as client:
            where = str(project)
            session = await client.session_create(where)
            line = ShellSubmission(message_id=new_message_id(), line=f"env > {shell}", agent="build")
            await client.submit_shell(session.id, where, line, timeout=60)
            await client.call("pty.create", directory=where, body={"command": str(dump), "args": [str(pty)]})
            prompt = script(bash(f"env > {tool}"), text("Done."))
            await client.submit_prompt(session.id, where, PromptSubmission(message_id=new_message_id(), text=prompt))
            for found in (mcp, pty, shell, tool):
                printed = await eventually(partial(read, found), seconds=60)
                assert "OPENCODE_PID=" in printed, found.name
                assert endpoint.password not in printed, found.name
        if sys.platform == "linux":
            assert endpoint.password not in await read(Path(f"/proc/{endpoint.pid}/environ"))
