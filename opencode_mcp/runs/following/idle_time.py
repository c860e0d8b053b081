"""Time for which OpenCode has certainly not worked on an unfinished run, before the first read of that run."""

from math import inf

from opencode_mcp.events.hub import Hub
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.runs.run_record import Run

CLOCKS_DIFFER_SECONDS = 60.0
"""Time by which the clocks of two machines may differ before one of them misreads the record of the other."""
AGE_ERROR_SECONDS = 0.1
"""Error of the age of a process and of the record of a run, both by the clock of this machine."""


async def proven_idle_seconds(client: OpenCodeClient, hub: Hub, run: Run, *, unchanged_seconds: float) -> float:
    """Return the seconds for which OpenCode has certainly not worked on a run of an idle session; 0 if it may have.

    Args:
        client: Reads what the generation can do.
        hub: Knows whether OpenCode went away, and since when its process runs.
        run: The run, which has no end.
        unchanged_seconds: Seconds since the latest change of the run or its session, by OpenCode's clock.

    Raises:
        BackendError: OpenCode could not be read.
    """
    silent_seconds = hub.interrupted.silent_seconds(run.session_id, run.message_id)
    known = max(unchanged_seconds - CLOCKS_DIFFER_SECONDS, silent_seconds, 0)
    age = await hub.server_age()
    if age is None or age + AGE_ERROR_SECONDS > unchanged_seconds:
        return known
    # The process began after the latest change, so it never worked on the run, unless it resumes runs as it starts.
    return max(known, age) if (await client.features()).resumes_runs else inf
