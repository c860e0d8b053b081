"""Errors show the output of OpenCode without colours and secrets, and not too much of it."""

from pathlib import Path

import pytest

from opencode_mcp.launcher.output_in_errors import SHOWN_CHARACTERS, read_output
from opencode_mcp.secrets.own_passwords import MARK


def test_colours_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_bytes(b"\x1b[91m\x1b[1mError: \x1b[0mUnexpected error\n")
    assert read_output(path, {}) == "Error: Unexpected error"


def test_only_the_end_of_a_long_output_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_bytes(b"line\n" * 100_000 + b"the reason\n")
    shown = read_output(path, {})
    assert len(shown) == SHOWN_CHARACTERS
    assert shown.endswith("the reason")


def shown(folder: Path, text: str, environment: dict[str, str]) -> str:
    path = folder / "output"
    path.write_text(text, encoding="utf-8")
    return read_output(path, environment)


@pytest.mark.parametrize("name", ["OPENCODE_SERVER_PASSWORD", "ANTHROPIC_API_KEY", "GITHUB_TOKEN", "AWS_SECRET"])
def test_a_secret_of_the_environment_is_hidden(tmp_path: Path, name: str) -> None:
    assert shown(tmp_path, "it said hunter2-hunter2 again", {name: "hunter2-hunter2"}) == f"it said {MARK} again"


@pytest.mark.parametrize(("name", "value"), [("PATH", "/usr/local/bin"), ("GIT_AUTHOR_NAME", "Somebody"), ("KEY", "1")])
def test_what_is_no_secret_stays(tmp_path: Path, name: str, value: str) -> None:
    assert shown(tmp_path, f"it said {value}", {name: value}) == f"it said {value}"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('"apiKey": "sk-1234", "model": "m"', f'"apiKey": "{MARK}", "model": "m"'),
        ("Authorization: Basic b3BlbmNvZGU= sent", f"Authorization: Basic {MARK} sent"),
        ("token=abc def", f"token={MARK} def"),
        ("the key was pressed", "the key was pressed"),
    ],
)
def test_the_value_of_a_variable_with_a_secrets_name_is_hidden(tmp_path: Path, text: str, hidden: str) -> None:
    assert shown(tmp_path, text, {}) == hidden
