"""Run the command of a verification in the directory of the run, and compare the files before and after it."""

import time
from collections.abc import Mapping

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.isolation.left_files import LeftFiles
from opencode_mcp.processes.shell_line import run_shell_line
from opencode_mcp.runs.verification.environment import command_environment
from opencode_mcp.runs.verification.wanted_verification import Verified, Verify

OUTPUT_CHARACTERS = 3000
"""Characters of the end of the output that are kept."""
REMOVED = "The command has removed the directory of the run."


async def verify(request: Verify, directory: str, files: LeftFiles, environment: Mapping[str, str]) -> Verified:
    """Run the command and return its result; a cancellation ends it with all that it has started.

    Args:
        request: The command.
        directory: Absolute path of the run's directory.
        files: Compares its files.
        environment: Variables of the bridge, of which the command gets those that tools need.
    """
    try:
        await files.begin(directory)
    except (BridgeError, OSError) as error:
        return Verified("not run", note=str(error))
    variables = command_environment(environment, request.environment)
    began = time.monotonic()
    try:
        done = await run_shell_line(request.line, directory, variables, request.seconds)
    except OSError as error:
        return Verified("not run", note=f"It cannot be started in {directory}: {error.strerror or error}.")
    seconds = round(time.monotonic() - began, 1)
    if not await anyio.Path(directory).is_dir():
        return Verified("failed", done.code, done.output[-OUTPUT_CHARACTERS:], seconds, note=REMOVED)
    left = await files.end(directory)
    outcome = "timed out" if done.code is None else "failed" if done.code else "passed"
    return Verified(outcome, done.code, done.output[-OUTPUT_CHARACTERS:], seconds, left)
