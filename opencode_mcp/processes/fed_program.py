"""Run a program with a text on its standard input, which it need not read to the end."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from subprocess import DEVNULL, PIPE, CompletedProcess
from typing import TYPE_CHECKING

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream

from opencode_mcp.processes.ending import FLAGS

if TYPE_CHECKING:
    from anyio.abc import Process


async def run_fed(
    command: str | Sequence[str],
    text: bytes,
    *,
    environment: Mapping[str, str] | None = None,
    folder: str | None = None,
    inherited: tuple[int, ...] = (),
    outputs: int = PIPE,
) -> CompletedProcess[bytes]:
    """Run a program to its end, and end it if that is cancelled.

    A program may end before it has read all of its input, as git does that cannot read a repository. For the function
    of ``anyio``, that is an error, which hides what the program has printed.

    Args:
        command: The program and its arguments, or a shell line.
        text: Its standard input.
        environment: Its whole environment; none: that of the bridge.
        folder: Its working directory; none: that of the bridge.
        inherited: Open file descriptors that it inherits.
        outputs: Where its outputs go: ``PIPE`` to return them, or ``DEVNULL``.

    Raises:
        OSError: It cannot be started.
    """
    process = await anyio.open_process(
        command,
        stdin=PIPE if text else DEVNULL,
        stdout=outputs,
        stderr=outputs,
        cwd=folder,
        env=environment,
        creationflags=FLAGS,
        pass_fds=inherited,
    )
    printed, complaints = bytearray(), bytearray()
    async with process, anyio.create_task_group() as streams:
        streams.start_soon(_read, process.stdout, printed)
        streams.start_soon(_read, process.stderr, complaints)
        await _feed(process, text)
        await process.wait()
    return CompletedProcess(command, process.returncode or 0, bytes(printed), bytes(complaints))


async def _feed(process: "Process", text: bytes) -> None:
    stdin: ByteSendStream | None = process.stdin
    if stdin is not None:
        with suppress(anyio.BrokenResourceError):
            await stdin.send(text)
        with suppress(anyio.BrokenResourceError, OSError):
            await stdin.aclose()


async def _read(stream: ByteReceiveStream | None, into: bytearray) -> None:
    if stream is not None:
        async for chunk in stream:
            into += chunk
