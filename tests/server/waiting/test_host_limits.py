"""The time that a call waits follows from the name and version of its host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.server.waiting.host_limits import HOSTS, PROGRESS_INDEPENDENT, UNKNOWN_HOST_SECONDS, longest_wait

# The names that the hosts send, and how many seconds after the start of a call they give up.
GIVES_UP = {
    "claude-code": None,
    "GitHub Copilot CLI": None,
    "Visual Studio Code": None,
    "codex-mcp-client": 300,
    "gemini-cli-mcp-client-opencode": 600,
    "qwen-code-mcp-client": None,
    "Cline": 60,
    "continue-client": 60,
    "claude-ai": 60,
    "": 60,
}


@pytest.mark.parametrize(("name", "limit"), GIVES_UP.items())
@pytest.mark.parametrize("gets_progress", [True, False])
def test_a_call_ends_before_its_host_gives_up(name: str, limit: int | None, gets_progress: bool) -> None:  # noqa: FBT001
    assert longest_wait(name, gets_progress=gets_progress) < (limit or 3600)


def test_opencode_as_a_host_waits_long_only_while_it_receives_progress() -> None:
    assert longest_wait("opencode", gets_progress=True) > 60
    assert longest_wait("opencode", gets_progress=False) < 60


@given(st.text(), st.booleans())
def test_an_unknown_host_counts_as_the_weakest(name: str, gets_progress: bool) -> None:  # noqa: FBT001
    known = any(host.name in name.lower() for host in HOSTS)
    assert known or longest_wait(name, gets_progress=gets_progress) == UNKNOWN_HOST_SECONDS


def test_every_host_has_a_reason_and_hosts_without_progress_are_listed() -> None:
    assert all(host.because and host.name == host.name.lower() for host in HOSTS)
    assert {host.name for host in HOSTS} >= PROGRESS_INDEPENDENT
