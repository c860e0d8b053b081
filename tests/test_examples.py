"""The examples do what they say."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.bridges.launch import Launch
from tests.harness.bridges.served import serving
from tests.harness.opencode2.fixtures import skip_without_engine
from tests.harness.processes.isolation import ROOT
from tests.http.operator import Operator
from tests.scripted_model.script import script, text

pytestmark = pytest.mark.integration


def run(
    example: str, *arguments: str, environment: Mapping[str, str], directory: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own example
        [sys.executable, str(ROOT / "examples" / example), *arguments],
        env=dict(environment),
        cwd=directory,
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )


def test_the_demo_shows_a_task_being_done_and_leaves_nothing(tmp_path: Path) -> None:
    variables = {**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    done = run("demo.py", environment=variables)
    assert (done.returncode, done.stderr) == (0, "")
    for expected in (
        "opencode_run(",
        "OpenCode asks: How are totals to be rounded?",
        "opencode_reply_question(answers=[['To cents']]",
        "OpenCode asks for permission: bash: python -m unittest",
        "completed",
        "+    return round(sum(prices), 2)",
    ):
        assert expected in done.stdout
    assert list(tmp_path.glob("opencode-mcp-demo-*")) == []


def test_the_demo_shows_the_same_on_opencode_2_and_leaves_nothing(tmp_path: Path) -> None:
    skip_without_engine()
    variables = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    done = run("demo.py", "--opencode", "2", environment=variables)
    assert (done.returncode, done.stderr) == (0, "")
    for expected in (
        "opencode_run(",
        "OpenCode asks: How are totals to be rounded?",
        "opencode_reply_question(answers=[['To cents']]",
        "OpenCode asks for permission: shell: python -m unittest",
        "completed",
        "+    return round(sum(prices), 2)",
    ):
        assert expected in done.stdout
    assert list(tmp_path.glob("opencode-mcp-demo-*")) == []


def test_the_demo_says_what_is_wrong_with_a_model(launch: Launch) -> None:
    done = run("demo.py", "--model", "scripted/m9", environment=launch.environment)
    assert done.returncode == 1
    assert "scripted/m1" in done.stdout


def test_the_demo_plays_with_the_users_own_opencode(launch: Launch) -> None:
    done = run("demo.py", "--model", "scripted/m2", environment=launch.environment)
    assert done.returncode == 0, done.stderr
    assert "completed · scripted/m2" in done.stdout


def test_the_demo_says_what_is_missing(tmp_path: Path) -> None:
    done = run("demo.py", environment={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 1
    assert "git-scm.com" in done.stderr


@pytest.mark.both_generations
def test_the_smallest_client_prints_the_report(launch: Launch, project: Path) -> None:
    task = script(text("It is a small project."))
    done = run("minimal.py", task, environment=launch.environment, directory=project)
    assert done.returncode == 0, done.stderr
    assert "It is a small project." in done.stdout
    assert "completed" in done.stdout


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "Set OPENCODE_BRIDGE:"),
        ({"OPENCODE_BRIDGE": "http://127.0.0.1:1/mcp", "OPENCODE_BRIDGE_TOKEN": "x"}, "cannot be reached"),
    ],
)
def test_a_client_without_a_bridge_says_what_is_wrong(variables: Mapping[str, str], words: str) -> None:
    done = run("remote.py", "x", environment={**os.environ, "NO_PROXY": "*", **variables})
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_client_says_that_its_token_is_refused(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    operator.principal("laptop")
    with serving(operator.launch, "--log-level", "INFO") as served:
        variables = {**os.environ, "OPENCODE_BRIDGE": served.url, "OPENCODE_BRIDGE_TOKEN": "wrong", "NO_PROXY": "*"}
        done = run("remote.py", "x", environment=variables)
    assert done.returncode == 1
    assert "(401): The token is unknown or was revoked." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_client_of_another_machine_prints_the_report(launch: Launch) -> None:
    with serving(launch) as served:
        variables = {**os.environ, "OPENCODE_BRIDGE": served.url, "OPENCODE_BRIDGE_TOKEN": "none", "NO_PROXY": "*"}
        done = run("remote.py", script(text("It is a small project.")), environment=variables)
    assert done.returncode == 0, done.stderr
    assert "It is a small project." in done.stdout
