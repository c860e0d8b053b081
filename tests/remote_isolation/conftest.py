"""Fixtures for worktrees on another machine."""

import pytest

from opencode_mcp.remote_isolation import remote_worktrees


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only for a moment where something is lost."""
    for name in ("EVENT_SECONDS", "READ_INTERVAL_SECONDS", "LOOK_INTERVAL_SECONDS"):
        monkeypatch.setattr(remote_worktrees, name, 0.01)
