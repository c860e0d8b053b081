"""A call that only writes cannot change what OpenCode runs or asks."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from tests.harness.bridges.bridge import Bridge, open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.project import SNAPSHOTS, configure, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host, Json
from tests.scripted_model.script import text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

PLUGIN = ".opencode/plugin/p.js"
NEW = "src/opencode.json"
"""File of the setup that the project does not begin with."""
PATCH = """\
diff --git a/opencode.json b/opencode.json
new file mode 100644
--- /dev/null
+++ b/opencode.json
@@ -0,0 +1 @@
+{"permission": "allow", "mcp": {"m": {"type": "local", "command": ["touch", "ran"]}}}
"""
DECIDES = "which decides what OpenCode runs and asks"


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = make_project(tmp_path_factory.mktemp("careful") / "project")
    configure(project, SNAPSHOTS)
    return project


@pytest.fixture
async def host(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, careful: Path
) -> AsyncGenerator[Host]:
    """A host whose operator allows nothing beyond the default."""
    launch = attaching(tmp_path, scripted_model, opencode_server, careful)
    async with open_bridge(launch) as bridge:
        yield Host(Bridge(bridge.client, launch))


async def called(host: Host, operation: str, **arguments: object) -> str:
    return await host.error("opencode_call_operation", operation=operation, arguments=arguments)


async def set_up_by(host: Host, *names: str) -> Json:
    """A run in which the agent writes files of the setup; the report."""
    steps = [write(name, "{}\n" if name.endswith("json") else "export {}\n") for name in names]
    report = await host.run(*steps, text("Set up."))
    assert report["status"] == "completed"
    return report


async def test_operations_that_write_files_need_the_operators_permission(host: Host, careful: Path) -> None:
    configured = (careful / "opencode.json").read_text(encoding="utf-8")
    report = await host.run(text("Before."))
    session = {"sessionID": report["session_id"]}
    part = {"messageID": report["message_id"], "partID": "prt_forged"}
    body = {
        **session,
        **part,
        "id": "prt_forged",
        "type": "patch",
        "hash": "HEAD",
        "files": [str(careful / "README.md")],
    }
    for operation, arguments in (
        ("vcs.apply", {"patch": PATCH}),
        ("part.update", {**session, **part, "body": body}),
        ("project.initGit", {}),
        ("experimental.controlPlane.moveSession", {**session, "destination": {"directory": str(careful)}}),
        ("experimental.workspace.warp", {"id": None, **session}),
        ("v2.session.revert.stage", {**session, "messageID": "msg_x"}),
        ("v2.session.revert.clear", session),
        ("v2.session.revert.commit", session),
    ):
        assert "its effect is execute" in await called(host, operation, **arguments), operation
    assert "its effect is admin" in await called(host, "sync.replay", directory=str(careful), events=[])
    assert (careful / "opencode.json").read_text(encoding="utf-8") == configured


@pytest.mark.parametrize("name", ["opencode.json", PLUGIN, "src/.opencode/command/c.md"])
async def test_an_undo_that_changes_the_setup_is_refused_in_both_ways_to_ask_for_it(
    host: Host, careful: Path, name: str
) -> None:
    report = await set_up_by(host, "plain.txt", name)
    place = {"session_id": report["session_id"], "message_id": report["message_id"]}
    asked = {"sessionID": report["session_id"], "messageID": report["message_id"]}
    for reply in (await host.error("opencode_revert", **place), await called(host, "session.revert", **asked)):
        assert DECIDES in reply
        assert reply.startswith("session.revert, with which opencode_revert undoes and restores, would change ")
        assert f'opencode_run(session_id="{report["session_id"]}", prompt="Undo your changes of ' in reply
        assert f'{name} by hand.")' in reply
        assert (
            "The person can: change the file by hand. Or, with a wider effect, so that session.revert works: add "
            in reply
        )
    assert (careful / name).exists()
    assert (careful / "plain.txt").exists()
    await anyio.Path(careful / name).unlink()


async def test_an_earlier_answer_counts_and_a_later_undo_that_leaves_it_alone_does_not(
    host: Host, careful: Path
) -> None:
    first = await set_up_by(host, PLUGIN)
    later = await host.run(write("later.txt", "x\n"), text("Later."), session_id=first["session_id"])
    await host.data("opencode_revert", session_id=first["session_id"], message_id=later["message_id"])
    assert not (careful / "later.txt").exists()
    place = {"session_id": first["session_id"], "message_id": first["message_id"]}
    assert DECIDES in await host.error("opencode_revert", **place)
    await anyio.Path(careful / PLUGIN).unlink()


async def test_the_operator_can_allow_it_and_taking_it_back_is_refused_to_others(host: Host, careful: Path) -> None:
    report = await set_up_by(host, NEW)
    place = {"session_id": report["session_id"], "message_id": report["message_id"]}
    async with open_bridge(host.bridge.launch.with_flags("--allow", "session.revert")) as allowed:
        await Host(allowed).data("opencode_revert", **place)
    assert not (careful / NEW).exists()
    assert DECIDES in await host.error("opencode_revert", session_id=report["session_id"], restore=True)
    assert DECIDES in await called(host, "session.unrevert", sessionID=report["session_id"])
    assert not (careful / NEW).exists()


async def test_isolated_work_on_the_setup_needs_the_same_permission(host: Host, careful: Path) -> None:
    report = await host.run(write(PLUGIN, "export {}\n"), text("Set up."), isolate=True)
    place = {"session_id": report["session_id"]}
    error = await host.error("opencode_integrate", **place, how="apply")
    assert DECIDES in error
    assert "so that opencode_integrate and opencode_revert change such files: add `--allow session.revert` (" in error
    assert not (careful / PLUGIN).exists()
    async with open_bridge(host.bridge.launch.with_flags("--allow", "session.revert")) as allowed:
        await Host(allowed).data("opencode_integrate", **place, how="apply")
        assert (careful / PLUGIN).exists()
        await Host(allowed).data("opencode_integrate", **place, how="undo")
    assert not (careful / PLUGIN).exists()
    await host.data("opencode_integrate", **place, how="discard")


async def test_a_folder_that_is_no_worktree_is_not_removed_as_one(host: Host, careful: Path) -> None:
    folder = careful / ".opencode" / "plugin"
    folder.mkdir(parents=True, exist_ok=True)
    assert "its effect is execute" in await called(host, "worktree.remove", directory=str(folder))
    async with open_bridge(host.bridge.launch.with_flags("--allow", "worktree.remove")) as allowed:
        for directory in (folder, folder.parent, careful / "src", careful / ".git" / "hooks"):
            reply = await called(Host(allowed), "worktree.remove", directory=str(directory))
            assert "is not a worktree of the project" in reply
            assert directory.is_dir()


async def test_an_undo_from_an_earlier_part_on_is_checked_from_that_part(host: Host, careful: Path) -> None:
    # OpenCode looks for the part in the whole session, whichever message is named beside it.
    first = await set_up_by(host, PLUGIN)
    later = await host.run(write("by-part.txt", "x\n"), text("Later."), session_id=first["session_id"])
    session = {"sessionID": first["session_id"]}
    read = {"operation": "session.messages", "arguments": session}
    messages = (await host.data("opencode_read_operation", **read))["reply"]
    early = next(message for message in messages if message["info"]["role"] == "assistant")["parts"][0]["id"]
    asked = {**session, "messageID": later["message_id"], "partID": early}
    assert DECIDES in await called(host, "session.revert", **asked)
    assert (careful / PLUGIN).exists()
    assert (careful / "by-part.txt").exists()
    await anyio.Path(careful / PLUGIN).unlink()


async def test_a_second_undo_does_not_bring_back_what_the_first_one_took_away(host: Host, careful: Path) -> None:
    first = await set_up_by(host, NEW)
    later = await host.run(write("second.txt", "x\n"), text("Later."), session_id=first["session_id"])
    session = first["session_id"]
    async with open_bridge(host.bridge.launch.with_flags("--allow", "session.revert")) as allowed:
        await Host(allowed).data("opencode_revert", session_id=session, message_id=first["message_id"])
    assert not (careful / NEW).exists()
    # OpenCode would first restore every file as it was before the undo above.
    assert DECIDES in await host.error("opencode_revert", session_id=session, message_id=later["message_id"])
    asked = {"sessionID": session, "messageID": later["message_id"]}
    assert DECIDES in await called(host, "session.revert", **asked)
    assert not (careful / NEW).exists()
