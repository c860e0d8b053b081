"""Calls of OpenCode 2 about a project: what it offers, its files and its version control."""

from contextlib import AbstractAsyncContextManager

import anyio

from opencode_mcp.errors import BackendFailed, UnsupportedOperation
from opencode_mcp.opencode.http_client.codec import encode
from opencode_mcp.opencode.http_client.directory_lists import DirectoryLists
from opencode_mcp.opencode.http_client.transport import Body
from opencode_mcp.opencode.v2 import conversions
from opencode_mcp.opencode.v2.calls.data_caller import DIFF_CONTEXT, DataCaller
from opencode_mcp.opencode.vocabulary.command_source import CommandSource
from opencode_mcp.opencode.vocabulary.wire.agents_and_commands import Agent, Command
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff, FileNode, SymbolMatch, TextMatch
from opencode_mcp.opencode.vocabulary.wire.project_objects import NewWorktree, Paths, UncommittedFile, Vcs
from opencode_mcp.opencode.vocabulary.wire.providers import Providers
from opencode_mcp.opencode.vocabulary.wire.server_objects import McpStatus
from opencode_mcp.text.json_values import as_map, as_maps, as_text

AGENTS_SECONDS = 60.0
"""Longest time for which a directory that was just opened has no agents, in seconds: 2 to 4 on a quiet machine."""
MODELS_SECONDS = 10.0
"""Longest time after which the models follow, in seconds; without a usable provider there are none."""
OPENING_INTERVAL_SECONDS = 0.2
WORKTREE_SECONDS = 900.0
"""Longest time for the setup of a new worktree."""


class ProjectCalls(DataCaller):
    """Calls about a directory."""

    async def path(self, directory: str = "") -> Paths:
        """Call ``location.get``. OpenCode 2 does not name the home and the configuration folder."""
        found = as_map(await self.call("location.get", directory=directory))
        project = as_map(found.get("project"))
        worktree = as_text(project.get("canonical")) or as_text(project.get("directory"))
        return Paths(directory=as_text(found.get("directory")), worktree=worktree)

    async def providers(self, directory: str = "") -> Providers:
        """Call ``model.list``, which has only what can be used."""
        return await self.used_providers(directory)

    async def used_providers(self, directory: str) -> Providers:
        """Call ``model.list``; each model names its provider."""
        return conversions.providers_of(await self._loaded("model.list", directory))

    async def agents(self, directory: str) -> list[Agent]:
        """Call ``agent.list``."""
        found = conversions.agents_of(await self._loaded("agent.list", directory))
        return [agent for agent in found if not agent.hidden]

    async def default_model(self, directory: str) -> str:
        """Call ``model.default``: the model that a session without one will use."""
        return conversions.model_name(await self._loaded("model.default", directory))

    async def commands(self, directory: str) -> list[Command]:
        """Call ``command.list``."""
        return conversions.commands_of(await self._loaded("command.list", directory))

    async def command_sources(self, directory: str) -> list[CommandSource]:
        """Call ``config.get``, and keep of the documents only the templates; they also hold keys."""
        return conversions.command_sources_of(await self.call("config.get", directory=directory))

    async def mcp_status(self, directory: str) -> dict[str, McpStatus]:
        """Call ``mcp.list``."""
        await self._settle(directory)
        return conversions.mcp_servers_of(await self._data("mcp.list", directory=directory))

    async def open_project(self, directory: str) -> None:
        """Wait until the lists of a directory are complete."""
        await self._settle(directory)

    async def prepare_runs(self, directory: str) -> None:
        """Do nothing: the first run of OpenCode 2 waits by itself until its directory has agents and models."""

    async def instance_dispose(self, directory: str) -> None:
        """Call ``debug.location.evict``: the next call opens the directory again; runs go on, without what they ask."""
        try:
            await self.call("debug.location.evict", directory=directory)
        finally:
            self._sender.directory_lists.pop(directory, None)

    async def _loaded(self, operation_id: str, directory: str) -> object:
        """Call an operation that answers with nothing while OpenCode 2 loads a directory.

        Another client may have made OpenCode close the directory since its lists were complete, and the event of it may
        be lost. Then there are no agents either, which a loaded directory always has.
        """
        lists = self._sender.directory_lists.setdefault(directory, DirectoryLists())
        was_complete = lists.is_complete
        await self._settle(directory)
        found = await self._data(operation_id, directory=directory)
        if found or not was_complete or await self._data("agent.list", directory=directory):
            return found
        lists.note_change()
        await self._settle(directory)
        return await self._data(operation_id, directory=directory)

    async def _settle(self, directory: str) -> None:
        """Wait until a directory has agents and models: OpenCode 2 answers with empty lists while it loads them.

        A wait that is cancelled is resumed by the next call, which waits for the rest of the time.
        """
        lists = self._sender.directory_lists.setdefault(directory, DirectoryLists())
        if lists.is_complete:
            return
        async with lists.lock:
            if not lists.is_complete:
                await self._await_lists(directory, lists)

    async def _await_lists(self, directory: str, lists: DirectoryLists) -> None:
        """Read until there are agents, and the models that belong to them.

        While it opens a directory, OpenCode may list models that its settings exclude. So once a list was incomplete,
        the models count when they are the same twice.
        """
        deadline = anyio.current_time() + AGENTS_SECONDS
        before: list[str] | None = None
        is_first = True
        # No event says that a directory is ready: the ones that come while it opens are too many and too early.
        while anyio.current_time() < deadline:
            models = await self._model_names(directory)
            if models == []:
                lists.begin_models_wait(MODELS_SECONDS)
            if (models and (is_first or models == before)) or (models == [] and lists.stay_without_models):
                lists.has_models = bool(models)
                break
            is_first, before = False, models
            await anyio.sleep(OPENING_INTERVAL_SECONDS)
        lists.is_complete = True

    async def _model_names(self, directory: str) -> list[str] | None:
        """Return the names of the models; ``None`` if there are no agents yet."""
        if not await self._data("agent.list", directory=directory):
            return None
        models = as_maps(await self._data("model.list", directory=directory))
        return [conversions.model_name(model) for model in models]

    # --- Files

    async def file_list(self, directory: str, path: str) -> list[FileNode]:
        """Call ``file.list``."""
        query = {"path": path} if path not in {"", "."} else {}
        return conversions.entries_of(await self._data("file.list", query=query, directory=directory))

    def file_bytes(self, directory: str, path: str) -> AbstractAsyncContextManager[Body]:
        """Call ``file.read``."""
        row = self._table.operation("file.read")
        return self._sender.stream(encode(row, path={"path": path}, directory=directory))

    async def find_text(self, directory: str, pattern: str) -> list[TextMatch]:
        """Refuse: OpenCode 2 does not search text.

        Raises:
            UnsupportedOperation: Always.
        """
        del directory, pattern
        raise UnsupportedOperation(
            "OpenCode 2 cannot search text.",
            hint="opencode_find_text searches if the files are on the machine of this MCP server.",
        )

    async def find_symbols(self, directory: str, query: str) -> list[SymbolMatch]:
        """Return nothing: OpenCode 2 has no language servers to ask."""
        del directory, query
        return []

    async def vcs_diff(self, directory: str, mode: str) -> list[FileDiff]:
        """Call ``vcs.diff``."""
        query = {"mode": "working" if mode == "git" else mode, "context": DIFF_CONTEXT}
        return conversions.diffs_of(await self._data("vcs.diff", query=query, directory=directory))

    async def vcs(self, directory: str) -> Vcs:
        """Call ``vcs.get``."""
        return conversions.vcs_of(await self._data("vcs.get", directory=directory))

    async def vcs_status(self, directory: str) -> list[UncommittedFile]:
        """Call ``vcs.status``."""
        return conversions.uncommitted_of(await self._data("vcs.status", directory=directory))

    async def worktree_create(self, directory: str, name: str) -> NewWorktree:
        """Call ``worktree.create``, which answers when the setup of the project has run."""
        body = {"projectID": await self._project_id(directory), "from": directory, "name": name}
        found = as_map(await self.call("worktree.create", body=body, timeout=WORKTREE_SECONDS))
        made = as_text(found.get("directory"))
        if not made:
            raise BackendFailed("OpenCode did not say where it made the worktree.")
        return NewWorktree(directory=made, is_ready=True)

    async def worktrees(self, directory: str) -> list[str]:
        """Call ``worktree.list``."""
        query = {"projectID": await self._project_id(directory)}
        return [as_text(each.get("directory")) for each in as_maps(await self.call("worktree.list", query=query))]

    async def worktree_remove(self, directory: str, worktree: str) -> None:
        """Call ``worktree.remove``; without ``force``, it would refuse one with changes."""
        body = {"projectID": await self._project_id(directory), "directory": worktree, "force": True}
        await self.call("worktree.remove", body=body)

    async def _project_id(self, directory: str) -> str:
        found = as_map(await self.call("location.get", directory=directory))
        return as_text(as_map(found.get("project")).get("id"))
