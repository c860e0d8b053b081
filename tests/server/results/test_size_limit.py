"""A whole result fits one budget; what was left out is said, and how to get it."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp_types import CallToolResult

from opencode_mcp.errors import BackendFailed
from opencode_mcp.runs.outcome.run_report import ChangedFile, PendingRequest, RunReport
from opencode_mcp.server.results.render import explain, result
from opencode_mcp.server.results.run_reports.report_text import report_data, report_text
from opencode_mcp.server.results.size_limit import NOTES_FIELD, RESULT_BYTES, fit
from opencode_mcp.text.json_text import json_size
from tests.harness.each import for_each
from tests.harness.effort import THOROUGH

COMMAND = "echo " + "x" * (190_000 if THOROUGH else 70_000)
TODOS = 5000 if THOROUGH else 1000
SLACK = 500
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=20) | st.builds("x".__mul__, st.integers(0, 40_000)),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=8,
)


def size(made: CallToolResult) -> int:
    return json_size(made.model_dump(mode="json", by_alias=True, exclude_none=True))


def report(**more: Any) -> RunReport:  # noqa: ANN401 - any field of a report
    return RunReport(status="completed", session_id="ses_1", message_id="msg_1", directory="/p", **more)


PENDING = PendingRequest(
    request_id="per_1",
    kind="permission",
    session_id="ses_1",
    asks=f"bash: {COMMAND}",
    permission="bash",
    patterns=[COMMAND],
    always=[COMMAND],
)
FILES = [
    ChangedFile(path=f"g/a_file_with_a_longer_name_{number}", change="added", added=1, removed=0)
    for number in range(4000)
]
REPORTS = {
    "many files": report(files=FILES),
    "a long command": report(pending=[PENDING]).model_copy(update={"status": "needs_input"}),
    "an error page": report(error="<html>" + "x" * 60_000).model_copy(update={"status": "failed"}),
    "a long title": report(title="T" * 100_000),
    "a long answer": report(text="é" * 100_000, output={"all": ["y" * 50_000] * 20}),
    "many todos": report(todos=["[ ] " + "t" * 300] * TODOS, children=["ses_2"] * 3000),
    "everything": report(text="x" * 90_000, files=FILES, pending=[PENDING] * 5, error="e" * 90_000),
}


@for_each("run_report", REPORTS.values(), ids=REPORTS.keys())
def test_a_report_of_any_size_fits_and_keeps_what_callers_rely_on(run_report: RunReport) -> None:
    data = report_data(run_report)
    made = result(report_text(run_report), data)
    assert size(made) <= RESULT_BYTES + SLACK
    assert made.structured_content
    assert made.structured_content.keys() >= {"status", "session_id", "message_id", "text", "pending", "next"}
    assert made.structured_content["session_id"] == "ses_1"
    assert made.structured_content["next"] == data["next"]
    for request in made.structured_content["pending"]:
        assert request["request_id"] == "per_1"


def test_what_is_left_out_is_counted_and_the_way_to_it_is_named() -> None:
    run_report = report(files=FILES)
    made = result(report_text(run_report), report_data(run_report))
    assert made.structured_content
    (note,) = made.structured_content[NOTES_FIELD]
    assert "of 4,000" in note
    assert "opencode_diff" in note
    assert note in str(made.content)


def test_a_cut_text_keeps_its_end_which_says_what_comes_next() -> None:
    text, _ = fit("x" * 100_000 + "\n\nNext: go on.", None)
    assert text.endswith("Next: go on.")
    assert "characters left out" in text


def test_what_fits_is_left_alone() -> None:
    data = {"a": ["x" * 1000] * 10, "b": {"c": None}}
    assert fit("text", data) == ("text", data)


def test_an_error_quotes_a_page_in_part() -> None:
    assert len(explain(BackendFailed("<html>" + "x" * 60_000, hint="y" * 60_000))) < 10_000


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200), st.dictionaries(st.text(max_size=10), VALUES, max_size=10))
def test_no_field_is_dropped_and_the_result_is_bounded(text: str, data: dict[str, Any]) -> None:
    shown, fitted = fit(text, data)
    assert fitted is not None
    assert fitted.keys() >= data.keys()
    assert json_size(shown) + json_size(fitted) <= RESULT_BYTES + 5000
