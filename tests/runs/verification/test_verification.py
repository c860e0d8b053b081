"""The data of a verification, the environment of its command, and the prompt that sends a failure back."""

import json

import pytest

from opencode_mcp.runs.enforcement.repairs import repair_text
from opencode_mcp.runs.outcome.run_report import RunReport, add_verification
from opencode_mcp.runs.verification.environment import command_environment
from opencode_mcp.runs.verification.wanted_verification import (
    VerificationRecord,
    Verified,
    Verify,
    as_data,
    read_record,
)
from opencode_mcp.server.results.run_reports.report_text import report_text

RECORD = VerificationRecord(
    Verify("pytest -q", 30, "test", ("DATABASE_URL",), 2, "build", "some/model", "high"),
    ("msg_2",),
    Verified("failed", 1, "1 failed\n\x1b[31mred", 3.5, ("added out.txt",)),
)


def test_a_record_is_read_as_it_was_written() -> None:
    assert read_record(json.loads(json.dumps(as_data(RECORD)))) == RECORD
    assert read_record(as_data(None)) is None
    several: list[object] = [3, {"request": {"line": "x"}}, {"request": {"line": "x", "seconds": 1, "more": 1}}]
    for wrong in several:
        with pytest.raises(ValueError, match="no verification"):
            read_record(wrong)


def test_a_command_gets_the_variables_of_tools_and_no_secret() -> None:
    tools = {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "VIRTUAL_ENV": "/v", "GOPATH": "/g", "NODE_ENV": "test"}
    secrets = {
        "OPENCODE_SERVER_PASSWORD": "p",
        "OPENCODE_MCP_URL": "u",
        "ANTHROPIC_API_KEY": "k",
        "NODE_AUTH_TOKEN": "t",
    }
    assert command_environment({**tools, **secrets}, ()) == tools
    assert command_environment({**tools, **secrets}, ("NODE_AUTH_TOKEN",)) == {**tools, "NODE_AUTH_TOKEN": "t"}


def test_the_prompt_that_sends_a_failure_back_has_the_command_and_the_end_of_its_output() -> None:
    text = repair_text(RECORD)
    assert "failed with exit code 1 after 4 s" in text
    assert "    pytest -q\n" in text
    assert "    1 failed\n    red\n" in text


def test_a_report_shows_the_verification_only_of_a_completed_run() -> None:
    completed = RunReport(status="completed", session_id="ses_1", message_id="msg_1", directory="/p")
    running = completed.model_copy(update={"status": "running"})
    for report in (completed, running):
        add_verification(report, RECORD)
    assert (completed.verified, running.verified) == ("failed", "")
    text = report_text(completed)
    assert "Verification: failed · pytest -q · exit code 1 · 3.5 s · repairs 1" in text
    assert "Left by the verification: added out.txt" in text
    assert "1 failed\nred" in text
