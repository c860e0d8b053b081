"""Check that projects, workspaces, worktrees and terminals that a caller names belong to allowed directories."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from opencode_mcp.errors import NotAllowed, NotFound
from opencode_mcp.server.access.argument_values import texts_at

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.fence import Fence
    from opencode_mcp.text.json_types import JsonMap

PROJECT_READERS: Mapping["Generation", tuple[str, str]] = {
    1: ("project.current", "id"),
    2: ("location.get", "project.id"),
}
"""Operation that returns the project of a directory, and the place of the project's id in its reply."""
PROJECT_DIRECTORIES: Mapping["Generation", str] = {1: "worktree", 2: "canonical"}
"""Field of a listed project that holds its main directory."""
NO_REPOSITORY = "global"
"""Id of the project that has all directories which are in no repository."""
WORKTREE_FOLDER = "worktree"
"""Folder in OpenCode's data folder that holds worktrees, as ``worktree/<project id>/<name>``."""
TERMINAL_READER = "experimental.persistentPty.get"


class Owners:
    """Finds out to which project or session something belongs.

    Args:
        fence: Checks directories and sessions.
        client: Asks OpenCode.
    """

    def __init__(self, fence: "Fence", client: "OpenCodeClient") -> None:
        self._fence = fence
        self._client = client

    async def projects(self, generation: "Generation") -> set[str]:
        """Return the ids of the projects that the allowed directories belong to.

        OpenCode opens a directory when it is asked for its project. So of the directories that patterns list, only
        those are asked about that were used, and the others are looked up among the projects that OpenCode knows.
        """
        projects = {await self._project_of(root, generation) for root in await self._fence.roots()}
        return projects | await self._known_projects(generation) if self._fence.has_patterns else projects

    async def _known_projects(self, generation: "Generation") -> set[str]:
        """Return the ids of the projects whose main directory is allowed (``project.list``)."""
        listed = cast("list[JsonMap]", await self._client.call("project.list"))
        place = PROJECT_DIRECTORIES[generation]
        return {str(row["id"]) for row in listed if await self._fence.allows(str(row.get(place) or ""))}

    async def _project_of(self, directory: str, generation: "Generation") -> str:
        reader, place = PROJECT_READERS[generation]
        found = await self._client.call(reader, directory=directory)
        return next(iter(texts_at(cast("JsonMap", found), [place])), "")

    async def one_project(self, operation: "Operation", named: str, directory: str) -> str:
        """Return the project that a caller named, or that of a directory, for an operation that answers for one.

        Raises:
            NotAllowed: The project consists of all folders of the machine that are not in a repository.
        """
        project = named or await self._project_of(directory, operation.generation)
        if project in {"", NO_REPOSITORY}:
            raise NotAllowed(
                f"{directory} is in no repository: {operation.id} would answer for every such folder of the machine.",
                hint="opencode_list_sessions shows the sessions of the allowed directories, with their cost.",
            )
        return project

    async def check_project(self, operation: "Operation", project_id: str) -> None:
        """Refuse a project that no allowed directory belongs to.

        Raises:
            NotAllowed: No allowed directory belongs to it.
        """
        if project_id not in await self.projects(operation.generation):
            reader, _ = PROJECT_READERS[operation.generation]
            raise NotAllowed(
                f"No allowed directory belongs to the project {project_id!r}.", hint=f"{reader} names the project."
            )

    async def check_workspace(self, workspace_id: str, directory: str) -> None:
        """Refuse a workspace of another project; only OpenCode 1 has workspaces (``experimental.workspace.list``).

        Raises:
            NotFound: The project has no such workspace.
        """
        listed = cast("list[JsonMap]", await self._client.call("experimental.workspace.list", directory=directory))
        if workspace_id not in {item["id"] for item in listed}:
            raise NotFound(
                f"The project has no workspace {workspace_id!r}.", hint="experimental.workspace.list lists them."
            )

    async def check_worktree(self, operation: "Operation", name: str, directory: str, project_id: str = "") -> None:
        """Refuse a directory that is no worktree of the project (``worktree.list``).

        Args:
            operation: The operation that is called.
            name: The directory.
            directory: A directory of the project; OpenCode 2 needs it only if the project is not named.
            project_id: The project that the caller named, already checked; empty: that of the directory.

        Raises:
            NotAllowed: It is no worktree of the project, or lies outside and OpenCode did not make it.
        """
        project = project_id or await self._project_of(directory, operation.generation)
        listed = await self._worktrees(operation, directory, project)
        try:
            await self._fence.folder(name)
        except NotAllowed:
            parent = PurePath(name).parent
            if name not in listed or (parent.parent.name, parent.name) != (WORKTREE_FOLDER, project):
                raise
        if name not in listed:
            # OpenCode 1 deletes any folder that it takes for a worktree unknown to git.
            raise NotAllowed(
                f"{name!r} is not a worktree of the project.", hint=f"Worktrees: {', '.join(listed) or 'none'}."
            )

    async def _worktrees(self, operation: "Operation", directory: str, project: str) -> list[str]:
        if operation.generation == 1:
            return cast("list[str]", await self._client.call("worktree.list", directory=directory))
        found = cast("list[JsonMap]", await self._client.call("worktree.list", query={"projectID": project}))
        # The row of the main checkout has no strategy.
        return [str(row["directory"]) for row in found if row.get("strategy")]

    async def check_terminal(self, terminal_id: str) -> None:
        """Refuse a terminal of a session that works outside; only OpenCode 2 has terminals of sessions.

        Raises:
            NotAllowed: Its session works outside.
            NotFound: There is no such terminal, or no such session.
        """
        found = await self._client.call(TERMINAL_READER, path={"ptyID": terminal_id})
        await self._fence.session(next(iter(texts_at(cast("JsonMap", found), ["data.sessionID"])), ""))
