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
NOT_ON_2: Mapping[str, str] = {
    "test_sessions.py::test_a_session_tells_its_cost_and_tokens": (
        "OpenCode 2 adds the request for a title to the cost of a session, at any time."
    ),
    "test_sessions.py::test_a_session_tells_its_todos": NO_TODOS,
    "test_sessions.py::test_a_session_that_began_with_a_structured_prompt_says_what_cannot_be_shown": STRUCTURED,
}
"""Reasons why a test does not run on OpenCode 2, by the end of its node id."""
COMMAND_ARGUMENTS: Mapping[Generation, Mapping[str, Sequence[str]]] = {
    1: {"fix": ("argument_1", "argument_2", "arguments"), "bare": ()},
    2: {"fix": ("arguments",), "bare": ("arguments",)},
}
"""Arguments of the prompts for commands: OpenCode 2 does not show the placeholders of their templates."""
ROUTES: Mapping[str, str] = {"/global/health": "/api/info", "/path": "/api/location"}
"""Paths of OpenCode 1 that have another name in OpenCode 2."""
END_BY_REJECTION: Mapping[Generation, str] = {1: "completed", 2: "aborted"}
"""Status of a run after a rejection without a message, which the bridge makes an interrupt on OpenCode 2."""


def difference_of(node_id: str) -> str:
    """Return the reason why a test does not run on OpenCode 2; empty if it does."""
    return next((reason for name, reason in NOT_ON_2.items() if node_id.endswith(name)), "")


def tool_name(name: str, generation: Generation) -> str:
    """Return the name of a tool, or a kind of permission, of OpenCode 1 as a generation has it."""
    return TOOLS.get(name, name) if generation == 2 else name


def route(path: str, generation: Generation) -> str:
    """Return the path on a generation of what OpenCode 1 has at a path."""
    return ROUTES.get(path, f"/api{path}") if generation == 2 else path
