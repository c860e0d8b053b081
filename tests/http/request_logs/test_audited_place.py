"""Session and directory of a call in the audit log."""

from collections.abc import Mapping

from opencode_mcp.http.request_logs.audited_place import directory_of, session_named
from tests.harness.each import for_each


@for_each(
    ("tool", "arguments", "session", "directory"),
    [
        ("opencode_run", {"prompt": "x"}, "", "/default"),
        ("opencode_run", {"prompt": "x", "directory": "/a"}, "", "/a"),
        ("opencode_run", {"prompt": "x", "session_id": "ses_1"}, "ses_1", ""),
        ("opencode_run", {"prompt": "x", "directory": 7}, "", "/default"),
        ("opencode_abort", {"session_id": "ses_1"}, "ses_1", ""),
        ("opencode_reply", {}, "", ""),
        ("opencode_call_operation", {"operation": "pty.remove"}, "", "/default"),
        ("opencode_call_operation", {"arguments": {"directory": "/a"}}, "", "/a"),
        ("opencode_call_operation", {"arguments": {"sessionID": "ses_1"}}, "ses_1", ""),
        ("opencode_call_operation", {"arguments": "x"}, "", "/default"),
        ("opencode_read_operation", {"arguments": {"sessionID": "ses_1"}}, "ses_1", ""),
        ("opencode_run_many", {"prompt": "x", "models": ["a/b"]}, "", "/default"),
        ("opencode_run_many", {"tasks": [{}, {"directory": "/a"}, {"directory": "/a"}]}, "", "/default, /a"),
        ("opencode_run_many", {"tasks": [{}, {"directory": "/a"}], "common": {"directory": "/b"}}, "", "/b, /a"),
    ],
)
def test_the_place_of_a_call(tool: str, arguments: Mapping[str, object], session: str, directory: str) -> None:
    assert session_named(tool, arguments) == session
    assert directory_of(tool, arguments, "/default") == directory
