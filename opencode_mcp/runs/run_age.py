"""Age of a run."""

from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.runs.prompting.message_ids import age_of
from opencode_mcp.runs.run_record import Run


def run_age(client: OpenCodeClient, run: Run) -> float:
    """Return the age of a run's prompt in seconds, by OpenCode's clock; 0 if its id does not show it."""
    return age_of(run.message_id, int(client.clock.now() * 1000))
