"""The suite of the protocol's authors passes: all of its tasks scenarios, and those that fit an arbitrary server."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from tests.conformance.suite import Check, check, scenarios, served
from tests.harness.bridges.launch import attaching
from tests.harness.bridges.served import serving
from tests.harness.processes.isolation import basics
from tests.harness.project import make_project
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode

pytestmark = pytest.mark.integration
CHOSEN = cast("Mapping[str, Any]", json.loads(Path(__file__).with_name("scenarios.json").read_text(encoding="utf-8")))
GENERAL = cast("Mapping[str, Sequence[str]]", CHOSEN["general"])


@pytest.fixture(scope="module")
def fixture_server(run_folder: Path) -> Iterator[str]:
    with served("tests.conformance.fixture_server", basics(), run_folder / "fixtures.log") as url:
        yield url


@pytest.fixture(scope="module")
def real_server(
    tmp_path_factory: pytest.TempPathFactory, opencode_server: OpenCode, scripted_model: ScriptedModel
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("conformance")
    directory = folder / "project"
    directory.mkdir()
    with serving(attaching(folder, scripted_model, opencode_server, make_project(directory))) as bridge:
        yield bridge.url


def failures(checks: Sequence[Check]) -> list[str]:
    """List the failures that the data file does not excuse; a scenario without any success is one, too."""
    failed = [f"{item.name}: {item.says}" for item in checks if item.status == "FAILURE" and not _excused(item)]
    if not any(item.status == "SUCCESS" for item in checks):
        failed.append("nothing succeeded")
    return failed


def _excused(item: Check) -> bool:
    return item.name in CHOSEN["excused"]


def failed(chosen: Sequence[str], found: Mapping[str, Sequence[Check]]) -> dict[str, list[str]]:
    """The failures of each chosen scenario that has some; one without a report fails, too."""
    all_failures = {scenario: failures(found.get(scenario, [])) for scenario in chosen}
    return {scenario: several for scenario, several in all_failures.items() if several}


def test_the_tasks_extension_passes(fixture_server: str, tmp_path: Path) -> None:
    found: dict[str, list[Check]] = {}
    for scenario in CHOSEN["tasks"]:
        found |= check(fixture_server, tmp_path / scenario, "--scenario", scenario)
    assert failed(CHOSEN["tasks"], found) == {}


@pytest.mark.parametrize("spec", GENERAL)
def test_the_server_passes(spec: str, real_server: str, tmp_path: Path) -> None:
    found = check(real_server, tmp_path, "--suite", "all", "--spec-version", spec)
    assert failed(GENERAL[spec], found) == {}


def test_every_scenario_of_the_suite_is_run_or_left_out_for_a_reason() -> None:
    run = {*CHOSEN["tasks"], *(name for names in GENERAL.values() for name in names)}
    assert sorted(scenarios()) == sorted({*run, *CHOSEN["left_out"]})
    assert not run & CHOSEN["left_out"].keys()
