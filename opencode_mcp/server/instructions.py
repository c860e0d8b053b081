"""Instructions on the whole server for a host's model, besides the descriptions of the tools."""

import re
from collections.abc import Collection

TOOL_NAME = re.compile(r"\bopencode_[a-z_]+")
TEXT = """\
OpenCode is a coding agent that works in a project by itself: it reads, edits, runs commands and asks when it must. \
With this server you work with it and stay in control.

- Delegate: opencode_run(prompt=...) hands it work, waits, and reports the answer and the changed files. Long work \
comes back as `running`; go on waiting with opencode_wait. The work never stops because you stop waiting.
- Answer: a report that says `needs_input` names what OpenCode asks. Pass it on to the person where it matters, then \
use opencode_reply_permission or opencode_reply_question.
- In parallel: start several opencode_run with wait_seconds=0, then opencode_wait(session_ids=[...]).
- Look around: opencode_status shows agents, models and the project, opencode_list_sessions earlier work, \
opencode_read_file a file.
- Anything else of OpenCode's API: opencode_find_operations finds it, opencode_read_operation reads it.
- To change something there: opencode_call_operation.

Keep the session_id of a report: the next opencode_run in it remembers all that was said. One prompt at a time in a \
session.
"""


def instructions_for(tools: Collection[str]) -> str:
    """Return the server's purpose and use, without lines that need a tool that is not listed.

    Args:
        tools: The names of the listed tools.
    """
    lines = TEXT.splitlines(keepends=True)
    return "".join(line for line in lines if set(TOOL_NAME.findall(line)) <= set(tools))
