"""Worktrees and an integrator with a state folder of the test's own."""

from pathlib import Path

import pytest

from opencode_mcp.isolation.integration import Integrator
from opencode_mcp.isolation.worktrees import Worktrees
from tests.isolation.git_repository import ENVIRONMENT


@pytest.fixture
def worktrees(tmp_path: Path) -> Worktrees:
    return Worktrees(tmp_path / "state", ENVIRONMENT)


@pytest.fixture
def integrator(worktrees: Worktrees) -> Integrator:
    return Integrator(worktrees)
