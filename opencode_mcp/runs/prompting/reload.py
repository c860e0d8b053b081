"""Make OpenCode read its files again if a caller names something that was added after it opened the directory.

OpenCode reads agents, commands, models and credentials once in a directory, and again only after an operation of its
API (``Rereading``). That of OpenCode 1.18 ends everything that runs there. After that of OpenCode 2, runs go on, but
what they have asked is lost, and no answer can reach them. So the bridge calls it only if nothing runs there, and only
in a server that a bridge started; otherwise the error names the file and the operation.

OpenCode 1.18 is not made to read its files while one is invalid: it would fail all requests in that directory until it
is restarted, even after the file is corrected. OpenCode 2 leaves the invalid file out.

Work that another bridge or program starts in the directory at the same moment is not noticed.
"""

import logging
import secrets
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread

from opencode_mcp.errors import BridgeError, InvalidConfiguration
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.text.outside_text import one_line
from opencode_mcp.workspace.configuration.definitions import DefiningFile, DefinitionQuery, find_definition, folders_of

logger = logging.getLogger(__name__)

T = TypeVar("T")
CLEAN_UP_SECONDS = 10.0
STILL_GOOD = "OpenCode still works with what it read before. Whoever owns the file must correct it; then call again."
NEW_START = "OpenCode reads that file only when it starts: end OpenCode once nothing runs in it, and call again."


@dataclass(frozen=True, slots=True)
class Missing:
    """Name that OpenCode does not know, and the error to raise if reading its files again does not help."""

    query: DefinitionQuery
    error: BridgeError


class InstanceReload:
    """Looks names up, and reloads a directory's instance if its files define a name that OpenCode does not know.

    Args:
        environment: OpenCode's environment; ``None`` if its files are not on this machine.
        refusal: Reason why an instance must not be disposed; empty if it may be.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, *, refusal: str = "") -> None:
        self._environment = environment
        self._refusal = refusal
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)
        self._starting: Counter[str] = Counter()
        self._read: dict[tuple[str, Path], tuple[int, int]] = {}
        """State of each file that OpenCode was made to read."""

    @asynccontextmanager
    async def starting(self, directory: str) -> AsyncGenerator[None]:
        """Keep a directory's instance while the block starts something in it."""
        async with self._locks[directory]:
            self._starting[directory] += 1
        try:
            yield
        finally:
            self._starting[directory] -= 1

    async def find(self, client: OpenCodeClient, directory: str, find: Callable[[], Awaitable[T | Missing]]) -> T:
        """Look a name up; if OpenCode does not know it but a file defines it, reload the instance and look again.

        Args:
            client: Asks OpenCode.
            directory: The project's.
            find: Finds the name in OpenCode.

        Raises:
            BridgeError: The error of what is missing; its hint says which file defines it.
            InvalidConfiguration: OpenCode could not use its files if it read them now.
            BackendError: OpenCode could not be asked.
        """
        found = await find()
        if not isinstance(found, Missing):
            return found
        definition = await self._definition(client, directory, found.query)
        if definition is None:
            raise found.error
        async with self._locks[directory]:
            found = await find()
            if isinstance(found, Missing):
                await self._reload(client, directory, definition, found.error)
                found = await find()
        if isinstance(found, Missing):
            raise _explained(found.error, definition, "OpenCode has read it, and does not offer that.")
        return found

    async def _definition(self, client: OpenCodeClient, directory: str, query: DefinitionQuery) -> DefiningFile | None:
        if self._environment is None:
            return None
        folders = folders_of(await client.path(directory), self._environment)
        return await to_thread.run_sync(find_definition, folders, query)

    async def _reload(
        self, client: OpenCodeClient, directory: str, definition: DefiningFile, error: BridgeError
    ) -> None:
        """Make OpenCode read its files again and wait until it has; the caller holds the lock.

        Raises:
            BridgeError: The given error, where that must not be done.
        """
        rereading = (await client.features()).rereading
        if definition.is_user_settings and not rereading.user_settings:
            raise _explained(error, definition, NEW_START)
        if self._refusal:
            raise _explained(error, definition, f"OpenCode read its files before. {rereading.hint} {self._refusal}")
        if self._read.get((directory, definition.path)) == definition.state:
            return
        await self._refuse_if_busy(client, directory, definition, error)
        if rereading.fails_on_invalid_file:
            await _try_configuration(client, directory)
            await self._refuse_if_busy(client, directory, definition, error)
        logger.info("OpenCode reads its files in %s again, since %s is new to it.", directory, definition.path)
        await client.instance_dispose(directory)
        self._read[directory, definition.path] = definition.state
        await client.used_providers(directory)

    async def _refuse_if_busy(
        self, client: OpenCodeClient, directory: str, definition: DefiningFile, error: BridgeError
    ) -> None:
        if self._starting[directory] or await client.running_sessions(directory):
            busy = "As something runs there now, that was not done: call again when it has ended."
            hint = (await client.features()).rereading.hint
            raise _explained(error, definition, f"OpenCode read its files before. {hint} {busy}")


def _explained(error: BridgeError, definition: DefiningFile, reason: str) -> BridgeError:
    error.hint = f"{one_line(str(definition.path))} defines it. {reason} {error.hint}".rstrip()
    return error


async def _try_configuration(client: OpenCodeClient, directory: str) -> None:
    """Make OpenCode read its files as if for the first time, in a folder of the directory that does not exist.

    Raises:
        InvalidConfiguration: It cannot use one of them.
    """
    trial = str(Path(directory) / f".opencode-mcp-{secrets.token_hex(8)}")
    try:
        await client.default_model(trial)
    except InvalidConfiguration as error:
        error.hint = STILL_GOOD
        raise
    except BridgeError as error:
        logger.info("OpenCode could not try its configuration: %s", error)
    with anyio.move_on_after(CLEAN_UP_SECONDS, shield=True):
        try:
            await client.instance_dispose(trial)
        except BridgeError as error:
            logger.info("the trial in %s was not cleaned up: %s", trial, error)
