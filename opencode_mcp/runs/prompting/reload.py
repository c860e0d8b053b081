"""Has OpenCode read its files again where a caller names what was added since it began to work in a directory.

OpenCode 1.18 reads agents, commands, models and credentials once in a directory, and again only after its operation
``instance.dispose``, which ends all that runs there. So that is called where nothing runs, in a server that a bridge
started; elsewhere the error names the file and the operation. Never while a file is faulty: OpenCode would then answer
nothing in that directory until it is started anew, not even once the file is corrected.

What another bridge or program begins in the directory in the very moment is not seen.
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
from opencode_mcp.workspace.configuration.definitions import DefiningFile, Sought, find_definition, folders_of

logger = logging.getLogger(__name__)

T = TypeVar("T")
CLEAN_UP_TIMEOUT = 10.0
AGAIN = "Its operation instance.dispose makes it read its files again, and stops what runs there."
STILL_GOOD = "OpenCode still works with what it read before. Whoever owns the file must correct it; then call again."
NEW_START = "OpenCode reads that file only when it starts: end OpenCode once nothing runs in it, and call again."


@dataclass(frozen=True, slots=True)
class Missing:
    """What OpenCode does not know, and the error to raise if it does not learn of it."""

    sought: Sought
    error: BridgeError


class Renewal:
    """Looks names up, and renews a directory's instance where its files say more than OpenCode knows.

    Args:
        environment: The one that OpenCode runs in; ``None``: its files are not on this machine.
        hindrance: Why an instance may not be disposed; empty: it may.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, *, hindrance: str = "") -> None:
        self._environment = environment
        self._hindrance = hindrance
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)
        self._starting: Counter[str] = Counter()
        self._read: dict[tuple[str, Path], tuple[int, int]] = {}
        """The states of files that OpenCode was made to read."""

    @asynccontextmanager
    async def starting(self, directory: str) -> AsyncGenerator[None]:
        """Keep a directory's instance while the block starts something in it."""
        async with self._locks[directory]:
            self._starting[directory] += 1
        try:
            yield
        finally:
            self._starting[directory] -= 1

    async def settle(self, client: OpenCodeClient, directory: str, look: Callable[[], Awaitable[T | Missing]]) -> T:
        """Look a name up; where OpenCode does not know it but a file defines it, renew the instance and look again.

        Args:
            client: Asks OpenCode.
            directory: The project's.
            look: Looks the name up in OpenCode.

        Raises:
            BridgeError: The error of what is missing; its hint says which file defines it.
            InvalidConfiguration: OpenCode could not use its files if it read them now.
            BackendError: OpenCode could not be asked.
        """
        found = await look()
        if not isinstance(found, Missing):
            return found
        definition = await self._definition(client, directory, found.sought)
        if definition is None:
            raise found.error
        async with self._locks[directory]:
            found = await look()
            if isinstance(found, Missing):
                await self._renew(client, directory, definition, found.error)
                found = await look()
        if isinstance(found, Missing):
            raise _explained(found.error, definition, "OpenCode has read it, and does not offer that.")
        return found

    async def _definition(self, client: OpenCodeClient, directory: str, sought: Sought) -> DefiningFile | None:
        if self._environment is None:
            return None
        folders = folders_of(await client.path(directory), self._environment)
        return await to_thread.run_sync(find_definition, folders, sought)

    async def _renew(
        self, client: OpenCodeClient, directory: str, definition: DefiningFile, error: BridgeError
    ) -> None:
        """Dispose the instance (``instance.dispose``) and wait until there is a new one; the lock is held.

        Raises:
            BridgeError: The given error, where that must not be done.
        """
        if definition.at_start_only:
            raise _explained(error, definition, NEW_START)
        if self._hindrance:
            raise _explained(error, definition, f"OpenCode read its files before. {AGAIN} {self._hindrance}")
        if self._read.get((directory, definition.path)) == definition.state:
            return
        await self._refuse_if_busy(client, directory, definition, error)
        await _try_configuration(client, directory)
        await self._refuse_if_busy(client, directory, definition, error)
        logger.info("OpenCode reads its files in %s again, since %s is new to it.", directory, definition.path)
        await client.instance_dispose(directory)
        self._read[directory, definition.path] = definition.state
        await client.used_providers(directory)

    async def _refuse_if_busy(
        self, client: OpenCodeClient, directory: str, definition: DefiningFile, error: BridgeError
    ) -> None:
        if self._starting[directory] or await client.session_status(directory):
            busy = "As something runs there now, that was not done: call again when it has ended."
            raise _explained(error, definition, f"OpenCode read its files before. {AGAIN} {busy}")


def _explained(error: BridgeError, definition: DefiningFile, reason: str) -> BridgeError:
    error.hint = f"{one_line(str(definition.path))} defines it. {reason} {error.hint}".rstrip()
    return error


async def _try_configuration(client: OpenCodeClient, directory: str) -> None:
    """Have OpenCode read its files as if for the first time, for a folder of the directory that does not exist.

    Raises:
        InvalidConfiguration: It cannot use one of them.
    """
    trial = str(Path(directory) / f".opencode-mcp-{secrets.token_hex(8)}")
    try:
        await client.config(trial)
    except InvalidConfiguration as error:
        error.hint = STILL_GOOD
        raise
    except BridgeError as error:
        logger.info("OpenCode could not try its configuration: %s", error)
    with anyio.move_on_after(CLEAN_UP_TIMEOUT, shield=True):
        try:
            await client.instance_dispose(trial)
        except BridgeError as error:
            logger.info("the trial in %s was not cleaned up: %s", trial, error)
