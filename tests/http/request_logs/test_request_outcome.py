"""Outcome of a request: what refused it, for the audit log."""

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from opencode_mcp.http.request_logs.request_outcome import RequestEnd, request_end
from opencode_mcp.server.access.audit_notes.refused_calls import note_refusal


@pytest.mark.parametrize(("noted", "refused_by"), [("", "protocol"), ("scope a", "scope a")])
def test_an_error_of_the_protocol_is_a_refusal_with_its_reason(noted: str, refused_by: str) -> None:
    end = RequestEnd()

    def refuse() -> None:
        with request_end(end):
            note_refusal(noted)
            raise MCPError(INVALID_PARAMS, "wrong")

    with pytest.raises(MCPError):
        refuse()
    assert (end.outcome, end.refused_by) == ("refused", refused_by)


def test_a_result_of_a_call_that_is_not_permitted_is_a_refusal() -> None:
    end = RequestEnd()
    with request_end(end):
        note_refusal("--read-only")
        end.note({"isError": True})
    assert (end.outcome, end.refused_by) == ("refused", "--read-only")
