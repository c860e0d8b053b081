"""Changed files, and their undo, over stdio."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from mcp_types import ResourceLink

from tests.harness.bridges.bridge import Bridge, Era, open_bridge, text_of
from tests.harness.bridges.launch import attaching
from tests.harness.project import SNAPSHOTS, commit, configure, git, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host, Json
from tests.scripted_model.script import bash, edit, hold, step, structured, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.fixture
async def own_host(
    era: Era, tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path
) -> AsyncGenerator[Host]:
    """A host whose bridge works in a project of this test alone, for tests that change its branch."""
    configure(project, SNAPSHOTS)
    launch = attaching(tmp_path, scripted_model, opencode_server, project)
    async with open_bridge(launch, era=era) as bridge:
        yield Host(Bridge(bridge.client, launch))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of all other tests; each leaves it as it was."""
    project = make_project(tmp_path_factory.mktemp("history"))
    configure(project, SNAPSHOTS)
    return project


@pytest.fixture(scope="module")
async def bridge(
    era: Era,
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    place: Path,
) -> AsyncGenerator[Bridge]:
    launch = attaching(tmp_path_factory.mktemp("bridge"), scripted_model, opencode_server, place)
    async with open_bridge(launch, era=era) as opened:
        yield opened


@pytest.fixture
def host(bridge: Bridge, place: Path) -> Iterator[Host]:
    """A host at a project in which nothing is changed."""
    yield Host(Bridge(bridge.client, bridge.launch))
    git(place, "reset", "--quiet", "--hard")
    git(place, "clean", "--quiet", "--force", "-d", "-x")


def files(found: Json) -> list[tuple[str, str, int, int]]:
    return [(file["change"], file["path"], file["added"], file["removed"]) for file in found["files"]]


@pytest.mark.both_generations
async def test_changes_are_those_of_one_prompt_of_the_session_and_of_the_working_tree(host: Host) -> None:
    first = await host.run(write("new.txt", "one\ntwo\n"), text("Made."))
    session_id = first["session_id"]
    second = await host.run(edit("new.txt", "two", "three"), text("Changed."), session_id=session_id)

    of_first = await host.data("opencode_diff", session_id=session_id, message_id=first["message_id"])
    assert files(of_first) == [("added", "new.txt", 2, 0)]
    of_second = await host.data("opencode_diff", session_id=session_id, message_id=second["message_id"])
    assert files(of_second) == [("modified", "new.txt", 1, 1)]
    assert "-two\n+three" in of_second["diff"]
    of_session = await host.data("opencode_diff", session_id=session_id)
    assert files(of_session) == [("added", "new.txt", 2, 0)]
    assert "+one\n+three" in of_session["diff"]
    of_tree = await host.data("opencode_diff")
    assert files(of_tree) == [("added", "new.txt", 2, 0)]


async def test_the_answer_s_message_names_its_prompt(host: Host) -> None:
    report = await host.run(write("new.txt", "one\n"), text("Made."))
    seen = await host.data("opencode_session", session_id=report["session_id"])
    answer = seen["transcript"].rsplit("msg_", 1)[1].split()[0]
    found = await host.data("opencode_diff", session_id=report["session_id"], message_id=f"msg_{answer}")
    assert files(found) == [("added", "new.txt", 1, 0)]


@pytest.mark.both_generations
async def test_the_working_tree_is_compared_with_the_default_branch_too(own_host: Host, project: Path) -> None:
    git(project, "checkout", "--quiet", "-b", "feature")
    (project / "committed.txt").write_text("one\n", encoding="utf-8")
    commit(project)
    (project / "open.txt").write_text("two\n", encoding="utf-8")

    async def look(against: str) -> set[str]:
        found = await own_host.data("opencode_diff", against=against)
        assert "note" not in found
        return {file["path"] for file in found["files"]}

    assert await look("commit") == {"open.txt"}
    assert await look("branch") == {"committed.txt", "open.txt"}


@pytest.mark.both_generations
async def test_a_comparison_with_the_default_branch_that_cannot_be_made_says_why(own_host: Host) -> None:
    nothing = await own_host.data("opencode_diff", against="branch")
    assert nothing["files"] == []
    assert "nothing to compare with" in nothing["note"]


async def test_a_branch_that_opencode_has_not_noticed_is_reported(own_host: Host, project: Path) -> None:
    await own_host.data("opencode_diff", against="branch")
    git(project, "checkout", "--quiet", "-b", "feature")
    stale = await own_host.data("opencode_diff", against="branch")
    assert "not feature" in stale["note"]
    assert "instance.dispose" in stale["note"]


async def test_only_some_files_are_shown_when_asked(host: Host, place: Path) -> None:
    (place / "src" / "greet.py").write_text("pass\n", encoding="utf-8")
    (place / "README.md").unlink()
    (place / "image.bin").write_bytes(bytes(300))
    every = await host.data("opencode_diff")
    assert {path for _, path, _, _ in files(every)} == {"src/greet.py", "README.md", "image.bin"}
    assert "added, binary" in every["diff"]
    for wanted in ("src", "src/greet.py", "*.py", "greet.py"):
        found = await host.data("opencode_diff", files=[wanted])
        assert [path for _, path, _, _ in files(found)] == ["src/greet.py"]
    none = await host.data("opencode_diff", files=["none.txt"])
    assert none["files"] == []
    assert none["note"].startswith('No changed file fits files=["none.txt"]. Changed: ')
    assert "README.md" in none["note"]


async def test_a_long_diff_is_cut_with_a_pointer_and_a_link_to_the_whole(host: Host) -> None:
    lines = "".join(f"line {number}\n" for number in range(3000))
    report = await host.run(write("long.txt", lines), text("Made."))
    result = await host.bridge.call("opencode_diff", session_id=report["session_id"])
    assert len(text_of(result)) <= 21_000
    assert "files=[...]" in text_of(result)
    (link,) = [block for block in result.content if isinstance(block, ResourceLink)]
    assert link.uri == f"opencode://session/{report['session_id']}/diff"
    whole = await host.bridge.client.read_resource(link.uri)
    assert "line 2999" in str(whole.contents[0])


async def test_a_file_that_is_too_large_for_a_patch_is_reported_as_one(host: Host, place: Path) -> None:
    (place / "huge.txt").write_text(("y" * 99 + "\n") * 150_000, encoding="utf-8")
    found = await host.data("opencode_diff")
    assert files(found) == [("added", "huge.txt", 150_000, 0)]
    assert "too large for OpenCode to show" in found["diff"]


async def test_the_error_of_an_impossible_diff_says_why(host: Host) -> None:
    report = await host.run(text("Said."))
    session_id = report["session_id"]
    assert await host.text("opencode_diff", session_id=session_id) == "This session changed no file."
    assert "no message 'msg_none'" in await host.error("opencode_diff", session_id=session_id, message_id="msg_none")
    assert "session_id" in await host.error("opencode_diff", message_id=report["message_id"])
    assert "its own directory" in await host.error("opencode_diff", session_id=session_id, directory="/x")


async def test_a_project_without_git_says_why_there_are_no_changes(
    tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    launch = attaching(tmp_path, scripted_model, opencode_server, plain)
    async with open_bridge(launch) as bridge:
        host = Host(bridge)
        report = await host.run(write("new.txt", "one\n"), text("Made."))
        for output in (
            await host.text("opencode_diff"),
            await host.text("opencode_diff", session_id=report["session_id"]),
        ):
            assert "is not a git repository" in output
            assert "No file is changed" not in output
            assert "changed no file" not in output


@pytest.mark.both_generations
async def test_a_session_is_undone_from_a_prompt_on_and_restored(host: Host, place: Path) -> None:
    file = place / "new.txt"
    first = await host.run(write("new.txt", "one\n"), text("Made."))
    session_id = first["session_id"]
    second = await host.run(edit("new.txt", "one", "two"), text("Changed."), session_id=session_id)

    undone = await host.data("opencode_revert", session_id=session_id, message_id=second["message_id"])
    assert file.read_text(encoding="utf-8") == "one\n"
    assert files(undone) == [("modified", "new.txt", 1, 1)]
    assert second["message_id"] in undone["note"]
    seen = await host.data("opencode_session", session_id=session_id)
    assert seen["undone_from"] == second["message_id"]
    left = await host.data("opencode_diff", session_id=session_id)
    assert files(left) == [("added", "new.txt", 1, 0)]
    assert "+one" in left["diff"]

    restored = await host.data("opencode_revert", session_id=session_id, restore=True)
    assert file.read_text(encoding="utf-8") == "two\n"
    assert second["message_id"] in restored["note"]
    again = await host.data("opencode_revert", session_id=session_id, restore=True)
    assert "nothing is undone" in again["note"]


@pytest.mark.both_generations
async def test_what_cannot_be_undone_is_refused_and_changes_nothing(
    host: Host, place: Path, scripted_model: ScriptedModel, era: str
) -> None:
    report = await host.run(write("new.txt", "one\n"), text("Made."))
    session_id, message_id = report["session_id"], report["message_id"]
    assert "no message" in await host.error("opencode_revert", session_id=session_id, message_id="msg_none")
    assert "restore=true" in await host.error("opencode_revert", session_id=session_id)
    assert "restore=true" in await host.error(
        "opencode_revert", session_id=session_id, message_id=message_id, restore=True
    )
    gate = f"at work while undone {era}"
    await host.start(hold(gate), text("Done."), session_id=session_id)
    await scripted_model.reached(gate)
    busy = await host.error("opencode_revert", session_id=session_id, message_id=message_id)
    assert "is running" in busy
    assert "opencode_abort" in busy
    await scripted_model.release(gate)
    await host.wait(session_id)
    assert (place / "new.txt").read_text(encoding="utf-8") == "one\n"


@pytest.mark.both_generations
async def test_a_fork_holds_what_came_before_and_goes_on_by_itself(host: Host) -> None:
    first = await host.run(text("First answer."))
    session_id = first["session_id"]
    second = await host.run(text("Second answer."), session_id=session_id)

    fork = await host.data("opencode_fork", session_id=session_id, message_id=second["message_id"])
    assert fork["session_id"] != session_id
    seen = await host.data("opencode_session", session_id=fork["session_id"])
    assert "First answer." in seen["transcript"]
    assert "Second answer." not in seen["transcript"]
    whole = await host.data("opencode_fork", session_id=session_id)
    seen = await host.data("opencode_session", session_id=whole["session_id"])
    assert "Second answer." in seen["transcript"]
    other = await host.run(text("Another way."), session_id=fork["session_id"])
    assert (await host.wait(session_id))["text"] == "Second answer."
    assert other["text"] == "Another way."


async def test_what_cannot_be_forked_is_explained(host: Host) -> None:
    first = await host.run(text("Before."))
    session_id = first["session_id"]
    assert "no message" in await host.error("opencode_fork", session_id=session_id, message_id="msg_none")
    asked = await host.run(step(structured({"a": 1})), session_id=session_id, output_schema=SCHEMA)
    later = await host.run(text("After."), session_id=session_id)
    before = await session_ids(host)
    for message_id in ("", later["message_id"]):
        refused = await host.error("opencode_fork", session_id=session_id, message_id=message_id)
        assert refused.startswith("Nothing was forked: ")
        assert "structured answer" in refused
        assert asked["message_id"] in refused
    refused = await host.error("opencode_call_operation", operation="session.fork", arguments={"sessionID": session_id})
    assert refused.startswith("Nothing was forked: ")
    assert await session_ids(host) == before, "OpenCode was not made to begin a copy"
    fork = await host.data("opencode_fork", session_id=session_id, message_id=asked["message_id"])
    seen = await host.data("opencode_session", session_id=fork["session_id"])
    assert "Before." in seen["transcript"]


async def test_a_session_that_began_with_a_structured_prompt_is_reported_as_not_forkable(host: Host) -> None:
    asked = await host.run(structured({"a": 1}), output_schema=SCHEMA)
    before = await session_ids(host)
    assert asked["message_id"] in await host.error("opencode_fork", session_id=asked["session_id"])
    assert await session_ids(host) == before


async def session_ids(host: Host) -> set[str]:
    """Read the ids of all sessions of the project."""
    found = await host.data("opencode_read_operation", operation="session.list", select="[].id")
    return set(found["reply"])


@pytest.mark.both_generations
async def test_what_a_shell_command_of_the_agent_changed_counts(host: Host) -> None:
    report = await host.run(bash("rm docs/notes.txt; printf 'x\\n' > made.txt"), text("Done."))
    found = await host.data("opencode_diff", session_id=report["session_id"])
    assert set(files(found)) == {("deleted", "docs/notes.txt", 0, 3), ("added", "made.txt", 1, 0)}
