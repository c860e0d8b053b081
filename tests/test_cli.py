"""The command line: what it answers at once, what it refuses, and what it costs to start."""

import subprocess
import sys
from pathlib import Path

import pytest

from opencode_mcp import __version__
from opencode_mcp.cli import main
from opencode_mcp.options import OPTIONS
from tests.harness.bridges.launch import COMMAND
from tests.harness.processes.isolation import basics

SECONDS = 60
IMPORTED = "import time:"


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(  # noqa: S603 - the test's own command
        command,
        env=basics() | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def imported(stderr: str) -> set[str]:
    """Return the top-level packages that ``-X importtime`` printed."""
    names = (line.rpartition("|")[2].strip() for line in stderr.splitlines() if line.startswith(IMPORTED))
    return {name.partition(".")[0] for name in names}


def test_the_installed_command_reports_its_version() -> None:
    done = run(str(COMMAND), "--version")
    assert (done.returncode, done.stdout) == (0, f"opencode-mcp {__version__}\n")


def test_the_package_runs_as_a_module() -> None:
    done = run(sys.executable, "-m", "opencode_mcp", "--version")
    assert (done.returncode, done.stdout) == (0, f"opencode-mcp {__version__}\n")


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_answers_about_itself_load_neither_mcp_nor_http(flag: str) -> None:
    done = run(sys.executable, "-X", "importtime", "-m", "opencode_mcp", flag)
    assert done.returncode == 0
    loaded = imported(done.stderr)
    assert "opencode_mcp" in loaded
    assert not loaded & {"mcp", "mcp_types", "pydantic", "anyio", "httpx", "jsonschema", "asyncio"}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Windows closes neither")
@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_closed_stdin_or_stdout_is_reported_in_a_line(closed: str) -> None:
    done = run("/bin/sh", "-c", f"'{COMMAND}' {closed}")
    assert done.returncode == 2
    assert done.stderr.startswith("opencode-mcp: stdin or stdout is closed.")
    assert done.stderr.count("\n") == 1


def test_help_names_every_flag_and_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    for option in (option for option in OPTIONS if option.variables):
        assert option.spelling in output
        assert option.variables[0] in output


def test_a_wrong_setting_ends_it_with_one_line_and_a_usage_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENCODE_MCP_CONFIG", str(tmp_path / "none.toml"))
    assert main(["--url", "nowhere"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("opencode-mcp: --url (OPENCODE_MCP_URL) is wrong: 'nowhere' is not a URL.")
    assert output.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--no-such-flag"], ["no-such-command"], ["--model"]])
def test_an_unknown_word_ends_it_with_a_usage_code(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: opencode-mcp" in capsys.readouterr().err


def test_without_a_command_it_serves_until_stdin_closes(tmp_path: Path) -> None:
    done = run(str(COMMAND), OPENCODE_MCP_CONFIG=str(tmp_path / "none.toml"), HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "")
