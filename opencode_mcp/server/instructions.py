"""Instructions on the whole server for a host's model, besides the descriptions of the tools."""

import re
from collections.abc import Collection

TOOL_NAME = re.compile(r"\bopencode_[a-z_]+")
TEXT = """\
OpenCode is a coding agent that works in a project by itself: it reads and edits files, runs commands, and asks when \
it needs a decision. Use these tools to give it work and to stay in control of it.

- Start: opencode_run(prompt=...) gives it a task, waits, and reports the answer and the changed files. OpenCode does \
not see this conversation: put everything that it needs to know into the prompt.
- Wait: `running` means that the run continues by itself. Call opencode_wait; never send the prompt again.
- Answer: `needs_input` means that OpenCode asks something. Ask the person unless the task determines the answer, then \
call opencode_reply_permission or opencode_reply_question.
- Continue: pass the session_id of a report to opencode_run; the session remembers everything. A session takes one \
prompt at a time.
- In parallel: opencode_run_many(tasks=[...]) queues tasks and reports a table. Runs in one directory share its files: \
give each its own files to change, or isolate it.
- Started one by one: opencode_run(wait_seconds=0), then opencode_wait(session_ids=[...]).
- Check: opencode_diff shows what changed, opencode_revert undoes it.
- Apart: opencode_run(isolate=true) works in a git worktree; opencode_integrate brings the changes back.
- Stop: opencode_abort ends a run with its subagents.
- Look around: opencode_status shows the agents, models and the project, opencode_list_sessions earlier work.
- Everything else of OpenCode's API: opencode_find_operations finds an operation, opencode_read_operation calls one \
that reads.
- To change something there, use opencode_call_operation.

An error that names a flag is for the person: tell them exactly what it says, and continue without it. The resource \
skill://opencode/SKILL.md has more guidance.
"""


def instructions_for(tools: Collection[str]) -> str:
    """Return the server's purpose and use, without lines that need a tool that is not listed.

    Args:
        tools: The names of the listed tools.
    """
    lines = TEXT.splitlines(keepends=True)
    return "".join(line for line in lines if set(TOOL_NAME.findall(line)) <= set(tools))
