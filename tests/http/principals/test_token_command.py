"""The command that makes, lists, replaces and revokes tokens."""

import re
import stat
import sys
import tomllib
from pathlib import Path

import pytest

from opencode_mcp.cli import main
from opencode_mcp.http.principals import token_command
from opencode_mcp.http.principals.principal_tokens import digest_of, new_token


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENCODE_MCP_CONFIG", str(tmp_path / "folder" / "config.toml"))
    monkeypatch.setenv("OPENCODE_MCP_STATE", str(tmp_path / "state"))
    return tmp_path / "folder" / "config.toml"


def test_a_token_is_printed_once_and_only_its_digest_is_stored(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "new", "laptop", "--directory", str(tmp_path), "--read-only", "--max-cost", "5"]) == 0
    token = capsys.readouterr().out.strip()
    assert re.fullmatch(r"ocmcp_[\w-]{43}", token)
    written = path.read_text(encoding="utf-8")
    assert token not in written
    assert tomllib.loads(written)["principals"]["laptop"] == {
        "token_sha256": digest_of(token),
        "directories": [str(tmp_path)],
        "read_only": True,
        "max_cost": 5.0,
    }
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    main(["token", "list"])
    listed = capsys.readouterr().out
    assert "laptop: " in listed
    assert digest_of(token) not in listed


def test_the_second_of_two_commands_at_once_reports_that_the_principal_exists(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["token", "new", "laptop", "--directory", str(tmp_path)]

    def made_meanwhile() -> str:
        monkeypatch.setattr(token_command, "new_token", new_token)
        assert main(command) == 0
        return new_token()

    monkeypatch.setattr(token_command, "new_token", made_meanwhile)
    assert main(command) == 2
    token = capsys.readouterr()
    assert "There is a principal laptop already" in token.err
    assert digest_of(token.out.strip()) in path.read_text(encoding="utf-8")


def test_a_token_is_replaced_and_revoked(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "new", "laptop", "--directory", str(tmp_path)])
    first = capsys.readouterr().out.strip()
    assert main(["token", "rotate", "laptop"]) == 0
    second = capsys.readouterr().out.strip()
    assert first != second
    assert digest_of(second) in path.read_text(encoding="utf-8")
    assert main(["token", "revoke", "laptop"]) == 0
    assert "principals" not in tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new", "laptop", "--directory", "relative"], "--directory is wrong: 'relative' is relative"),
        (["new", "laptop"], "It has no directories"),
        (["new", "other", "--directory", "HERE"], "The principals laptop and other would both work in"),
        (["new", "known", "--directory", "HERE"], "There is a principal known already"),
        (["new", "Big", "--directory", "HERE"], "'Big' is not a name for a principal"),
        (["rotate", "nobody"], "There is no principal 'nobody'. There are known"),
        (["revoke", "nobody"], "There is no principal 'nobody'"),
    ],
)
def test_what_is_wrong_changes_nothing(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    name = "laptop" if "laptop and other" in said else "known"
    main(["token", "new", name, "--directory", str(tmp_path)])
    before = path.read_bytes()
    capsys.readouterr()
    assert main(["token", *(str(tmp_path) if part == "HERE" else part for part in arguments)]) == 2
    output = capsys.readouterr()
    assert said in output.err
    assert output.out == ""
    assert path.read_bytes() == before


@pytest.mark.parametrize(("directory", "warnings"), [("none", 1), ("none/*", 0), ("", 0)])
def test_a_directory_that_does_not_exist_is_reported(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], directory: str, warnings: int
) -> None:
    assert main(["token", "new", "laptop", "--directory", str(tmp_path / directory)]) == 0
    assert capsys.readouterr().err.count("Warning: there is no folder") == warnings
    assert path.exists()
