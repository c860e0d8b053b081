"""The scope of batches: it changes with every setting that decides what a run may do, and with nothing else."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import cast

import pytest

from opencode_mcp.batch_queue.scope import INDIFFERENT, scope_of
from opencode_mcp.options import IsolationSetup
from opencode_mcp.settings import Settings

PRINTS_SCOPE = """
from opencode_mcp.batch_queue.scope import scope_of
from opencode_mcp.settings import resolve

flags = {"allow": ["execute", "admin"], "deny": ["session.abort"], "wait": 20.0, "max_runs": 2, "permissions": "allow"}
print(scope_of(resolve(flags)))
"""
"""Program that prints the scope of a bridge with several flags."""
OTHERS: Mapping[str, object] = {
    "directories": ("/elsewhere",),
    "permission_rules": {"bash": {"*": "allow"}},
    "isolation": IsolationSetup(command="true"),
    "permissions": "allow",
    "attach": "service",
    "log_level": "DEBUG",
    "environment": {"UNIMPORTANT": "x"},
    "flags": frozenset({"wait", "directories"}),
}
"""Another value for each setting whose kind does not give one."""
KINDS: Mapping[type, object] = {
    str: "other",
    bool: True,
    int: 7,
    float: 7.0,
    tuple: ("other",),
    dict: {"other": "other"},
}


def changed(settings: Settings, name: str) -> Settings:
    value = cast("object", getattr(settings, name))
    other = OTHERS.get(name, 7 if value is None else KINDS.get(type(value)))
    return replace(settings, **{name: other})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(directories=("/project",), state_directory=tmp_path, started_in=tmp_path)


@pytest.mark.parametrize("name", [field.name for field in fields(Settings) if field.name not in INDIFFERENT])
def test_a_setting_that_may_decide_something_changes_the_scope(settings: Settings, name: str) -> None:
    assert scope_of(changed(settings, name)) != scope_of(settings)


@pytest.mark.parametrize("name", sorted(INDIFFERENT - {"state_directory", "started_in"}))
def test_a_setting_that_decides_nothing_does_not_change_the_scope(settings: Settings, name: str) -> None:
    assert scope_of(changed(settings, name)) == scope_of(settings)


def test_another_account_of_a_provider_is_another_scope(settings: Settings) -> None:
    assert scope_of(replace(settings, environment={"OPENAI_API_KEY": "k"})) != scope_of(settings)


@pytest.mark.parametrize("name", ["allow", "deny"])
def test_the_order_of_a_list_that_has_none_does_not_change_the_scope(settings: Settings, name: str) -> None:
    scopes = {scope_of(replace(settings, **{name: names})) for names in (("a", "b"), ("b", "a"), ("a", "b", "a"))}
    assert len(scopes) == 1


def test_the_folder_of_the_start_counts_only_where_no_directory_is_listed(settings: Settings) -> None:
    elsewhere = settings.started_in / "elsewhere"
    assert scope_of(replace(settings, started_in=elsewhere)) == scope_of(settings)
    unlisted = replace(settings, directories=())
    assert scope_of(replace(unlisted, started_in=elsewhere)) != scope_of(unlisted)
    assert scope_of(unlisted) == scope_of(replace(settings, directories=(str(settings.started_in),)))
    assert scope_of(unlisted) == scope_of(replace(settings, directories=(f"{settings.started_in}/./",)))


def test_the_scopes_of_two_state_folders_differ_though_their_settings_are_equal(
    settings: Settings, tmp_path: Path
) -> None:
    assert scope_of(replace(settings, state_directory=tmp_path / "other")) != scope_of(settings)


def test_every_process_with_the_same_flags_has_the_same_scope(tmp_path: Path) -> None:
    def printed(seed: int) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "OPENCODE_MCP_STATE": str(tmp_path)}
        command = [sys.executable, "-c", PRINTS_SCOPE]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 - our program
        return done.stdout

    assert len({printed(seed) for seed in range(1, 5)}) == 1
