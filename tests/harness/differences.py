"""Differences between the generations of OpenCode that tests for both of them meet.

A test with the mark ``both_generations`` runs on OpenCode 1 and 2. Where the two must differ, the reason is here: the
whole test makes no sense on OpenCode 2 (``NOT_ON_2``), or the test takes the value of its generation from one of the
tables below. ``tool_name`` has the names of tools and of kinds of permission, ``route`` the paths.
"""

from collections.abc import Mapping, Sequence

from opencode_mcp.opencode.versions import Generation
from tests.scripted_model.spelling import TOOLS

NO_TODOS = "OpenCode 2 has no todo lists."
STRUCTURED = "The bridge itself asks OpenCode 2 for a structured answer, so its sessions have no unusual prompts."
REPAIRED = "The bridge asks OpenCode 2 itself for an answer by a schema, and checks and repairs it in another way."
NOT_ON_2: Mapping[str, str] = {
    "test_asking.py::test_a_rejection_with_feedback_reaches_the_model_and_the_run_goes_on": (
        "OpenCode 2's preview hides the message of a rejection from the model."
    ),
    "test_two_bridges.py::test_a_prompt_that_a_terminal_merged_its_own_into_says_so": (
        "OpenCode 2 answers a prompt that comes in the last step of another one by itself."
    ),
    "test_commands.py::test_a_command_of_a_subagent_is_one_run": (
        "OpenCode 2 runs a command with `subtask: true` in the session itself."
    ),
    "test_progress.py::test_waiting_for_permission_is_reported": (
        "OpenCode 2 sends a call before its permission request: the line of progress is about the call, and the "
        "report about the request."
    ),
    "test_progress.py::test_todos_are_reported_by_how_many_are_done": NO_TODOS,
    "test_runs.py::test_a_structured_answer_that_does_not_fit_fails_and_shows_both": REPAIRED,
    "test_runs.py::test_an_answer_that_cannot_be_checked_is_reported_with_the_ids_of_its_run": REPAIRED,
    "test_runs.py::test_todos_are_reported": NO_TODOS,
    "test_sessions.py::test_a_session_reports_its_cost_and_tokens": (
        "OpenCode 2 adds the request for a title to the cost of a session, at any time."
    ),
    "test_sessions.py::test_a_session_reports_its_todos": NO_TODOS,
    "test_sessions.py::test_a_session_that_began_with_a_structured_prompt_says_what_cannot_be_shown": STRUCTURED,
}
"""Reasons why a test does not run on OpenCode 2, by the end of its node id."""
WITHOUT_TODOS: Mapping[Generation, str] = {1: "There are no todos.", 2: "This version of OpenCode has no todo lists."}
"""Content of the resource with the todos of a session that has none."""
COMMAND_ARGUMENTS: Mapping[Generation, Mapping[str, Sequence[str]]] = {
    1: {"fix": ("argument_1", "argument_2", "arguments"), "bare": ()},
    2: {"fix": ("arguments",), "bare": ("arguments",)},
}
"""Arguments of the prompts for commands: OpenCode 2 does not show the placeholders of their templates."""
PROMPT_OF_A_SERVER: Mapping[Generation, str] = {
    1: "About @everything, see everything\n",
    2: "About @everything, see !`echo everything`",
}
"""Prompt of an MCP server with a shell line, as the model gets it: OpenCode 2's preview does not run that line."""
BRANCHES_OF_DISCARDED: Mapping[Generation, int] = {1: 0, 2: 1}
"""Branches that are left of a discarded worktree on another machine: OpenCode 2's preview deletes none."""
ROUTES: Mapping[str, str] = {"/global/health": "/api/info", "/path": "/api/location"}
"""Paths of OpenCode 1 that have another name in OpenCode 2."""
ALWAYS_FOR_ECHO: Mapping[Generation, str] = {1: "echo *", 2: "{command}"}
"""Rule that "always" would store for an ``echo`` command: OpenCode 2 stores the command itself."""
FORMS_FOR_ALWAYS: Mapping[Generation, int] = {1: 1, 2: 2}
"""Forms for two commands that differ in their arguments, each answered with "always"."""
END_BY_REJECTION: Mapping[Generation, str] = {1: "completed", 2: "aborted"}
"""Status of a run after a rejection without a message, which the bridge makes an interrupt on OpenCode 2."""
RESULT_OF_A_REJECTION: Mapping[Generation, str] = {
    1: "The permission policy of this session does not allow that.",
    2: "Unable to write no.txt",
}
"""Text that the model gets after policy has rejected a write: OpenCode 2's preview hides the message from it."""
PROMPT: Mapping[Generation, str] = {1: "/prompt_async", 2: "/prompt"}
"""End of the path that takes a prompt."""
SUBAGENTS_READ: Mapping[Generation, str] = {1: "/children", 2: "GET /api/session?parentID"}
"""End of the request that reads the subagents of a session, which belong to its part of a report."""
SESSION_READS: Mapping[Generation, tuple[str, ...]] = {
    1: ("GET /session/{id}", "GET /session/{id}/todo", "GET /session/{id}/children"),
    2: ("GET /api/session/{id}",),
}
"""Requests that read a session's part of a report.

OpenCode 2 lists a session's subagents by the request that also finds other authors of its changes.
"""
USABLE_MODELS: Mapping[Generation, str] = {1: "/config/providers", 2: "/api/model"}
"""Path of the models that can be used."""
EVENTS: Mapping[Generation, str] = {1: "/global/event", 2: "/api/event"}
"""Path of the event stream."""
MOST_REQUESTS: Mapping[Generation, int] = {1: 7, 2: 9}
"""Most requests of a run in a new session, also with an agent and a model that the caller chose."""
REREADING: Mapping[Generation, str] = {1: "instance.dispose", 2: "debug.location.evict"}
"""Operation that makes OpenCode read the files of a directory again."""
HEALTH: Mapping[Generation, str] = {1: "/global/health", 2: "/api/info"}
"""Path whose reply has the version."""


def difference_of(node_id: str) -> str:
    """Return the reason why a test does not run on OpenCode 2; empty if it does."""
    return next((reason for name, reason in NOT_ON_2.items() if node_id.endswith(name)), "")


def tool_name(name: str, generation: Generation) -> str:
    """Return the name of a tool, or a kind of permission, of OpenCode 1 as a generation has it."""
    return TOOLS.get(name, name) if generation == 2 else name


def route(path: str, generation: Generation) -> str:
    """Return the path on a generation of what OpenCode 1 has at a path."""
    return ROUTES.get(path, f"/api{path}") if generation == 2 else path
