"""Renaming, archiving and deleting sessions, over stdio."""

import json
import re
from pathlib import Path

import pytest

from opencode_mcp.opencode.versions import Generation
from tests.harness.servers.model import ScriptedModel
from tests.integration.host import Host
from tests.integration.sessions.test_session_overview import rows_of
from tests.scripted_model.script import hold, script, task, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]


async def listed_with_suggested_call(host: Host, archived: str) -> str:
    """Return what the call lists that the result of an archived session names."""
    call = re.search(r'opencode_read_operation\(operation="(\S+)", arguments=({[^}]+}), select="([^"]+)"\)', archived)
    assert call
    return await host.text("opencode_read_operation", operation=call[1], arguments=json.loads(call[2]), select=call[3])


async def test_a_session_is_renamed_archived_and_deleted(
    host: Host, workplace: Path, case: str, opencode_generation: Generation
) -> None:
    report = await host.run(
        task(script(text("By the child."))), text("Done."), directory=str(workplace), title=f"Old name {case}"
    )
    session_id = report["session_id"]
    title = f"New name {case}"
    before = (await rows_of(host, f"Old name {case}"))[session_id]["changed"]
    renamed = await host.text("opencode_update_session", session_id=session_id, title=title)
    assert title in renamed
    assert f"Old name {case}" in renamed
    row = (await rows_of(host, title))[session_id]
    assert (row["title"], row["changed"] >= before) == (title, True)
    assert "nothing to change" in await host.error("opencode_update_session", session_id=session_id)

    archived = await host.text("opencode_update_session", session_id=session_id, archived=True)
    assert archived.startswith(f"{session_id} is archived, so lists leave it out. ")
    other = await host.run(text("Not archived."), directory=str(workplace))
    listed = await listed_with_suggested_call(host, archived)
    assert session_id in listed
    assert other["session_id"] not in listed
    assert session_id not in await rows_of(host, title)
    assert (await host.data("opencode_session", session_id=session_id, limit=0))["title"] == title
    if opencode_generation == 1:
        assert "OpenCode 1 cannot put it back" in archived
        assert "archive" in await host.error("opencode_update_session", session_id=session_id, archived=False)
    else:
        assert f'opencode_update_session(session_id="{session_id}", archived=false)' in archived
        await host.data("opencode_update_session", session_id=session_id, archived=False)
        assert session_id in await rows_of(host, title)

    deleted = await host.data("opencode_delete_session", session_id=session_id)
    assert deleted["deleted"] == [session_id, *report["children"]]
    assert deleted["was_running"] is False
    assert "There is no session" in await host.error("opencode_delete_session", session_id=session_id)


async def test_a_session_at_work_is_archived_forked_and_stopped_before_it_is_deleted(
    host: Host, workplace: Path, case: str, scripted_model: ScriptedModel
) -> None:
    gate = f"deleted at work {case}"
    session_id = await host.start(hold(gate), text("Never said."), directory=str(workplace))
    await scripted_model.reached(gate)
    fork = await host.data("opencode_fork", session_id=session_id)
    seen = await host.data("opencode_session", session_id=fork["session_id"], limit=0)
    assert seen["last_run"]["outcome"] != "failed", "it has only copied what goes on elsewhere"
    if seen["last_run"]["outcome"] == "unanswered":
        copied = await host.wait(fork["session_id"])
        assert (copied["status"], "Nothing runs here" in copied.get("note", "")) == ("aborted", True)
    await host.data("opencode_update_session", session_id=session_id, archived=True)
    listed = await host.data("opencode_list_sessions", running=True)
    (row,) = [row for row in listed["sessions"] if row["session_id"] == session_id]
    assert (row["archived"], row["outcome"], listed["totals"]["complete"]) == (True, "running", False)
    assert " · archived" in await host.text("opencode_session", session_id=session_id, limit=0)
    output = await host.text("opencode_delete_session", session_id=session_id)
    assert "It was running and was stopped" in output
    assert "Lost for good" in output
    assert "files stay" in output
    running = await host.data("opencode_list_sessions", running=True)
    assert session_id not in {row["session_id"] for row in running["sessions"]}
