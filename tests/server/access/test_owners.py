"""Worktrees, terminals and projects that a caller names belong to allowed directories, in either generation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import pytest

from opencode_mcp.errors import NotAllowed, NotFound
from opencode_mcp.opencode.operation_catalog.arguments import split
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.runs.prompting.reload import InstanceReload
from opencode_mcp.runs.requests.permission_policy import Policy
from opencode_mcp.server.access.allowed_operations import AllowedOperations
from opencode_mcp.server.access.operation_arguments import ArgumentChecker
from opencode_mcp.server.access.owners import NO_REPOSITORY, PROJECT_DIRECTORIES, Owners
from opencode_mcp.settings import Settings

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.fence import Fence

pytestmark = pytest.mark.anyio

PROJECT = "p1"
MADE = f"/data/opencode/worktree/{PROJECT}/calm-river"
REPLIES_1: Mapping[str, object] = {
    "project.current": {"id": PROJECT},
    "worktree.list": [MADE, "/elsewhere/tree", "/projects/own/tree"],
}
REPLIES_2: Mapping[str, object] = {
    "location.get": {"directory": "/projects/own", "project": {"id": PROJECT}},
    "worktree.list": [
        {"directory": "/projects/own"},
        *({"directory": name, "strategy": "git"} for name in (MADE, "/elsewhere/tree", "/projects/own/tree")),
    ],
    "experimental.persistentPty.get": {"data": {"id": "pty_1", "sessionID": "ses_foreign"}},
}
REPLIES: "Mapping[Generation, Mapping[str, object]]" = {1: REPLIES_1, 2: REPLIES_2}


class Replies:
    """A client whose replies are given."""

    def __init__(self, replies: Mapping[str, object]) -> None:
        self._replies = replies

    async def call(self, operation_id: str, **_more: object) -> object:
        """Return the reply to an operation."""
        return self._replies[operation_id]


class OneProject:
    """A fence around one directory."""

    has_patterns = False

    async def directory(self, name: str = "") -> str:
        """Return the directory, whatever is named."""
        del name
        return "/projects/own"

    async def has_default(self) -> bool:
        """Return True: it is the default."""
        return True

    async def roots(self) -> list[str]:
        """Return the directory."""
        return ["/projects/own"]

    async def folder(self, name: str) -> str:
        """Refuse what is not inside."""
        if not name.startswith("/projects/own"):
            raise NotAllowed(f"{name} is outside of what is allowed.")
        return name

    async def session(self, name: str) -> object:
        """Refuse any session."""
        raise NotAllowed(f"The session {name} works outside of what is allowed.")


def owners(api: "Generation") -> Owners:
    return Owners(cast("Fence", OneProject()), cast("OpenCodeClient", Replies(REPLIES[api])))


@pytest.mark.parametrize("api", TABLES)
async def test_a_project_of_an_allowed_directory_may_be_named(api: "Generation") -> None:
    row = TABLES[api].operation("project.update")
    await owners(api).check_project(row, PROJECT)
    with pytest.raises(NotAllowed, match="No allowed directory belongs to the project 'p2'"):
        await owners(api).check_project(row, "p2")


class UnusedPatterns(OneProject):
    """A fence of patterns, none of whose directories was used."""

    has_patterns = True

    async def roots(self) -> list[str]:
        """Return nothing."""
        return []

    async def allows(self, directory: str) -> bool:
        """Tell if the patterns list a directory."""
        return directory.startswith("/projects/")


@pytest.mark.parametrize(("api", "place"), PROJECT_DIRECTORIES.items())
async def test_the_projects_of_directories_that_patterns_list_are_known_before_they_are_used(
    api: "Generation", place: str
) -> None:
    listed = [{"id": PROJECT, place: "/projects/own"}, {"id": "p2", place: "/elsewhere"}, {"id": NO_REPOSITORY}]
    client = Replies({"project.list": listed})
    known = Owners(cast("Fence", UnusedPatterns()), cast("OpenCodeClient", client))
    assert await known.projects(api) == {PROJECT}


def statistics_of(project: str) -> ArgumentChecker:
    """A checker whose directory belongs to a project."""
    client = Replies({"location.get": {"project": {"id": project}}})
    settings = Settings()
    return ArgumentChecker(
        cast("Fence", OneProject()),
        AllowedOperations(settings),
        Policy(settings.permissions, settings.permission_rules),
        cast("OpenCodeClient", client),
        InstanceReload(),
        remote=False,
    )


@pytest.mark.parametrize("arguments", [{}, {"tools": "detail"}, {"project": PROJECT}], ids=str)
async def test_statistics_are_those_of_one_project(arguments: dict[str, str]) -> None:
    row = TABLES[2].operation("session.stats")
    call = await statistics_of(PROJECT).admit(row, arguments, split(row, arguments), asks=False)
    assert call.query["project"] == PROJECT


@pytest.mark.parametrize("arguments", [{}, {"project": NO_REPOSITORY}], ids=str)
async def test_there_are_no_statistics_of_all_folders_without_a_repository(arguments: dict[str, str]) -> None:
    row = TABLES[2].operation("session.stats")
    with pytest.raises(NotAllowed, match="would answer for every such folder"):
        await statistics_of(NO_REPOSITORY).admit(row, arguments, split(row, arguments), asks=False)


@pytest.mark.parametrize("api", TABLES)
async def test_a_worktree_may_be_removed_if_it_is_inside_or_made_by_opencode(api: "Generation") -> None:
    row = TABLES[api].operation("worktree.remove")
    for name in (MADE, "/projects/own/tree"):
        await owners(api).check_worktree(row, name, "/projects/own")
    for name, said in (
        ("/elsewhere/tree", "outside of what is allowed"),
        ("/elsewhere", "outside of what is allowed"),
        (MADE.replace(PROJECT, "p2"), "outside of what is allowed"),
        ("/projects/own/src", "not a worktree of the project"),
    ):
        with pytest.raises(NotAllowed, match=said):
            await owners(api).check_worktree(row, name, "/projects/own")


async def test_the_main_checkout_is_no_worktree_that_may_be_removed() -> None:
    row = TABLES[2].operation("worktree.remove")
    with pytest.raises(NotAllowed, match="not a worktree of the project"):
        await owners(2).check_worktree(row, "/projects/own", "/projects/own")


async def test_a_terminal_of_a_session_outside_is_refused() -> None:
    with pytest.raises(NotAllowed, match="ses_foreign works outside"):
        await owners(2).check_terminal("pty_1")


async def test_a_workspace_of_another_project_is_not_found() -> None:
    client = Replies({"experimental.workspace.list": [{"id": "wrk_1"}]})
    known = Owners(cast("Fence", OneProject()), cast("OpenCodeClient", client))
    await known.check_workspace("wrk_1", "/projects/own")
    with pytest.raises(NotFound, match="no workspace 'wrk_2'"):
        await known.check_workspace("wrk_2", "/projects/own")
