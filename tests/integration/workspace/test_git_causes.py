"""The result names the true cause if OpenCode reports no changes, and never claims that nothing is changed if it is."""

import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.harness.bridges.bridge import open_bridge
from tests.harness.bridges.launch import attaching
from tests.harness.project import SNAPSHOTS, configure, git, make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode
from tests.integration.host import Host
from tests.scripted_model.script import bash, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
NOTHING = "No file is changed"
NAMES = ("detached", "foreign", "late", "odd", "unnamed")


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project for each test."""
    folder = tmp_path_factory.mktemp("projects")
    for name in NAMES:
        (folder / name).mkdir()
    for name in NAMES:
        if name != "late":
            make_project(folder / name)
    for name in ("odd", "unnamed"):
        configure(folder / name, SNAPSHOTS)
    git(folder / "detached", "checkout", "--quiet", "--detach")
    return folder


@pytest.fixture(scope="module")
async def host(
    tmp_path_factory: pytest.TempPathFactory,
    scripted_model: ScriptedModel,
    opencode_server: OpenCode,
    projects: Path,
) -> AsyncGenerator[Host]:
    launch = attaching(tmp_path_factory.mktemp("git"), scripted_model, opencode_server, projects / NAMES[0])
    more = [argument for name in NAMES[1:] for argument in ("--directory", str(projects / name))]
    async with open_bridge(launch.with_flags(*more)) as bridge:
        yield Host(bridge)


async def test_a_detached_head_is_no_lack_of_git(host: Host, projects: Path) -> None:
    place = projects / "detached"
    for against in ("commit", "branch"):
        output = await host.text("opencode_diff", directory=str(place), against=against)
        assert NOTHING in output
        assert "repository" not in output
    (place / "README.md").write_text("Changed.\n", encoding="utf-8")
    assert "README.md" in await host.text("opencode_diff", directory=str(place))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
async def test_another_users_repository_is_called_so(host: Host, projects: Path) -> None:
    place = projects / "foreign"
    for path in (place, place / ".git"):
        os.chown(path, 12345, -1)
    for against in ("commit", "branch"):
        output = await host.text("opencode_diff", directory=str(place), against=against)
        assert "safe.directory" in output
        assert "is not a git repository" not in output
        assert NOTHING not in output


async def test_a_repository_that_was_made_later_is_called_so(host: Host, projects: Path) -> None:
    place = projects / "late"
    assert "is not a git repository" in await host.text("opencode_diff", directory=str(place))
    make_project(place)
    output = await host.text("opencode_diff", directory=str(place))
    assert "the repository was created later" in output
    assert "instance.dispose" in output


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot be had there")
async def test_a_file_whose_name_git_quotes_is_reported_with_the_true_reason(host: Host, projects: Path) -> None:
    place = projects / "odd"
    command = "printf 'one\\n' > 'a\"b.txt'; printf 'one\\n' > \"$(printf 'c\\td.txt')\"; printf 'one\\n' > plain.txt"
    report = await host.run(bash(command), text("Made."), directory=str(place))
    found = await host.data("opencode_diff", session_id=report["session_id"])
    assert {file["path"] for file in found["files"]} >= {'a"b.txt', "plain.txt"}
    assert "too large" not in found["diff"]
    assert found["diff"].count("cannot read a name with a quote, backslash or control character") == 2
    assert "+one" in found["diff"]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems take only names that are text")
async def test_a_prompt_that_changed_a_name_which_is_no_text_is_not_called_empty(host: Host, projects: Path) -> None:
    place = projects / "unnamed"
    command = "printf 'one\\n' > \"$(printf 'y\\377.txt')\"; printf 'one\\n' > plain.txt"
    report = await host.run(bash(command), text("Made."), directory=str(place))
    session_id = report["session_id"]
    output = await host.text("opencode_diff", session_id=session_id)
    read = await host.bridge.client.read_resource(f"opencode://session/{session_id}/diff")
    for said in (output, str(read.contents[0])):
        assert NOTHING not in said
        assert "not UTF-8" in said
        assert "y\ufffd.txt" in said
    tree = await host.text("opencode_diff", directory=str(place))
    assert "plain.txt" in tree
    assert "cannot read a name that is not UTF-8" in tree
