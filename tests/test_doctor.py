"""``opencode-mcp doctor`` reports what works, and the remedy for what does not."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from opencode_mcp.doctor.examination import examine
from opencode_mcp.settings import resolve
from opencode_mcp.workspace.search.ripgrep_executable import find_ripgrep
from tests.harness.bridges.launch import COMMAND, Launch, left_server
from tests.harness.opencode2.running import OpenCode2
from tests.harness.processes.isolation import environment
from tests.harness.processes.process import await_line, spawned
from tests.harness.project import configure
from tests.harness.servers.http import ask
from tests.harness.servers.model import ScriptedModel
from tests.harness.servers.opencode import OpenCode, binary, free_port

pytestmark = pytest.mark.integration

EVERY_CHECK = [
    *(
        "Python",
        "dependencies",
        "settings file",
        "state folder",
        "environment",
        "OpenCode",
        "git",
        "worktrees",
        "batches",
        "ripgrep",
    ),
    *("directories", "configuration", "server", "version", "password", "providers", "model", "agent", "round trip"),
]
REACHED = ["directories", "configuration", "server"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Output of the doctor, and its exit code."""

    code: int
    output: str

    def line(self, check: str) -> str:
        """Return the lines about one check, including its remedy."""
        lines = self.output.splitlines()
        start = next(place for place, line in enumerate(lines) if line[6:].startswith(check))
        length = next(place for place, line in enumerate(lines[start + 1 :]) if not line.startswith(" " * 21)) + 1
        return " ".join(line.strip() for line in lines[start : start + length])

    @property
    def checks(self) -> list[str]:
        """The names of the checks, in order."""
        return [line[6:20].strip() for line in self.output.splitlines() if line[:5].strip() in {"ok", "warn", "FAIL"}]

    @property
    def verdict(self) -> str:
        """The last line."""
        return self.output.splitlines()[-1]


def diagnose(launch: Launch) -> Diagnosis:
    done = subprocess.run(  # noqa: S603 - the command under test
        [str(COMMAND), *launch.arguments, "doctor"],
        env=launch.environment,
        cwd=launch.environment["HOME"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return Diagnosis(done.returncode, done.stdout)


def sessions_of(server: OpenCode, project: Path) -> list[str]:
    query = {"directory": str(project)}
    reply = ask("GET", f"{server.url}/session", params=query, auth=("opencode", server.password))
    return [session["id"] for session in reply.raise_for_status().json()]


def test_where_everything_works_it_says_so_and_leaves_no_server(own_launch: Launch, project: Path) -> None:
    diagnosis = diagnose(own_launch)
    assert diagnosis.code == 0
    assert diagnosis.verdict == "Everything works."
    assert diagnosis.checks == EVERY_CHECK
    assert str(project) in diagnosis.line("directories")
    assert "started" in diagnosis.line("server")
    assert "scripted/m1" in diagnosis.line("model")
    assert left_server(own_launch) is None


def test_at_a_server_of_the_operators_it_leaves_no_session_and_shows_no_secret(
    launch: Launch, opencode_server: OpenCode, project: Path
) -> None:
    diagnosis = diagnose(launch)
    assert diagnosis.code == 0
    assert f"attached to {opencode_server.url}" in diagnosis.line("server")
    assert "no model was called" in diagnosis.line("round trip")
    assert opencode_server.password not in diagnosis.output
    assert not sessions_of(opencode_server, project)


def test_at_an_opencode_2_it_names_the_generation_and_what_was_tested(
    opencode2: OpenCode2, opencode2_environment: dict[str, str], shared_project: Path, tmp_path: Path
) -> None:
    server = {"OPENCODE_MCP_URL": opencode2.url, "OPENCODE_PASSWORD": opencode2.password}
    variables = {**opencode2_environment, **server, "OPENCODE_MCP_STATE": str(tmp_path / "bridge")}
    diagnosis = diagnose(Launch(("--directory", str(shared_project)), variables, tmp_path / "bridge.log"))
    assert (diagnosis.code, diagnosis.verdict) == (0, "Everything works.")
    version = diagnosis.line("version")
    assert (
        "OpenCode 2, version 2.1.2 (tested with the published API of OpenCode 2.1.2, not with a released OpenCode 2)"
        in version
    )


def test_without_an_executable_it_says_how_to_install_one(own_launch: Launch) -> None:
    diagnosis = diagnose(own_launch.within(OPENCODE_MCP_OPENCODE="/nowhere/opencode"))
    assert diagnosis.code == 1
    assert diagnosis.line("OpenCode").startswith("FAIL")
    assert "npm install -g opencode-ai" in diagnosis.line("OpenCode")
    assert diagnosis.line("server").endswith("see OpenCode above")
    assert diagnosis.verdict == "Prompts cannot be run yet: OpenCode, server."


def test_a_wrong_password_is_reported_with_the_setting_to_change(launch: Launch) -> None:
    diagnosis = diagnose(launch.within(OPENCODE_MCP_PASSWORD="wrong-one"))
    assert diagnosis.code == 1
    assert diagnosis.line("server").startswith("FAIL")
    assert "--password" in diagnosis.line("server")
    assert "wrong-one" not in diagnosis.output
    assert diagnosis.checks[-len(REACHED) :] == REACHED


def test_a_url_where_nothing_listens_is_named(launch: Launch) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    diagnosis = diagnose(launch.within(OPENCODE_MCP_URL=url))
    assert diagnosis.code == 1
    assert diagnosis.line("server").endswith(f"does not answer at {url}. Check that it runs, then call again.")
    assert diagnosis.checks[-len(REACHED) :] == REACHED


def test_a_server_without_a_password_is_warned_of(
    launch: Launch, tmp_path: Path, scripted_model: ScriptedModel
) -> None:
    port, log = free_port(), tmp_path / "opencode.log"
    command = [str(binary()), "serve", "--hostname", "127.0.0.1", "--port", str(port)]
    with spawned(command, environment=environment(tmp_path, scripted_model.url), log=log) as process:
        await_line(process, log, "opencode server listening on", seconds=60)
        diagnosis = diagnose(launch.within(OPENCODE_MCP_URL=f"http://127.0.0.1:{port}"))
    assert diagnosis.code == 0
    assert "OPENCODE_SERVER_PASSWORD" in diagnosis.line("password")
    assert diagnosis.verdict == "Prompts can be run; look at: password."


def test_a_model_an_agent_and_a_directory_that_there_are_not_fail_with_those_that_there_are(
    launch: Launch, project: Path
) -> None:
    missing = project / "sourc"
    (project / "sources").mkdir()
    wrong = launch.with_flags("--model", "scripted/m9", "--agent", "bild", "--directory", str(missing))
    diagnosis = diagnose(wrong)
    assert diagnosis.code == 1
    assert "sources" in diagnosis.line("directories")
    assert "scripted/m1" in diagnosis.line("model")
    assert "build" in diagnosis.line("agent")
    assert diagnosis.verdict == "Prompts cannot be run yet: directories, model, agent."


def test_no_usable_provider_is_a_failure(launch: Launch, project: Path) -> None:
    configure(project, {"disabled_providers": ["scripted"]})
    diagnosis = diagnose(launch)
    assert diagnosis.code == 1
    assert "opencode auth login" in diagnosis.line("providers")


def test_tools_that_opencode_misses_are_warnings(launch: Launch, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    away = launch.within(PATH=str(empty))
    diagnosis = diagnose(away)
    assert diagnosis.code == 0
    assert diagnosis.line("git").startswith("warn")
    beside = find_ripgrep(away.environment)
    assert diagnosis.line("ripgrep").startswith("ok" if beside else "warn")
    assert str(beside or "not on PATH") in diagnosis.line("ripgrep")


def test_as_json_it_says_the_same(launch: Launch, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = examine(resolve({"directories": [str(project)]}, launch.environment), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["works"] is True
    assert [check["check"] for check in document["checks"]] == EVERY_CHECK
    assert {check["grade"] for check in document["checks"]} == {"ok"}
