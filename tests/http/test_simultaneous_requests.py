"""Limit of the open requests of a principal: others still get theirs, and some connections stay free."""

from contextlib import ExitStack

import pytest

from opencode_mcp.http.simultaneous_requests import SimultaneousRequests


def opened(open_requests: SimultaneousRequests, principal: str, stack: ExitStack, number: int) -> int:
    """Open requests of a principal until the end of the stack, and return how many of them may be served."""
    return [stack.enter_context(open_requests.counted(principal)) for _ in range(number)].count("")


def test_a_principal_has_a_quarter_of_the_connections_and_all_of_them_leave_some() -> None:
    open_requests = SimultaneousRequests(100)
    for _ in range(2):
        with ExitStack() as stack:
            assert [opened(open_requests, name, stack, 60) for name in "abcd"] == [25, 25, 25, 15]


def test_a_principal_has_some_requests_when_few_files_can_be_opened() -> None:
    with ExitStack() as stack:
        assert [opened(SimultaneousRequests(20), name, stack, 20) for name in "ab"] == [8, 8]


def test_everybody_without_authentication_has_all_connections_but_a_few() -> None:
    with ExitStack() as stack:
        assert opened(SimultaneousRequests(100), "", stack, 200) == 90


def test_no_request_is_served_after_the_end() -> None:
    open_requests = SimultaneousRequests(100)
    with open_requests.counted("anna") as before:
        open_requests.close("The end.")
        with open_requests.counted("anna") as after:
            assert (before, after) == ("", "The end.")


def test_refused_requests_are_in_the_log_and_do_not_fill_it(caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack:
        opened(SimultaneousRequests(20), "anna", stack, 100)
    assert caplog.text.count("requests of anna are refused: This principal has 8 requests") == 1
