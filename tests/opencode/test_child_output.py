"""What OpenCode printed is shown without colours, secrets and excess."""

from pathlib import Path

import pytest

from opencode_mcp.opencode.child_output import SHOWN, read_output, redact


def test_colours_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_bytes(b"\x1b[91m\x1b[1mError: \x1b[0mUnexpected error\n")
    assert read_output(path, {}) == "Error: Unexpected error"


def test_only_the_end_of_a_long_output_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_bytes(b"line\n" * 100_000 + b"the reason\n")
    shown = read_output(path, {})
    assert len(shown) == SHOWN
    assert shown.endswith("the reason")


@pytest.mark.parametrize("name", ["OPENCODE_SERVER_PASSWORD", "ANTHROPIC_API_KEY", "GITHUB_TOKEN", "AWS_SECRET"])
def test_a_secret_of_the_environment_is_hidden(name: str) -> None:
    assert redact("it said hunter2-hunter2 again", {name: "hunter2-hunter2"}) == "it said *** again"


@pytest.mark.parametrize(("name", "value"), [("PATH", "/usr/local/bin"), ("GIT_AUTHOR_NAME", "Somebody"), ("KEY", "1")])
def test_what_is_no_secret_stays(name: str, value: str) -> None:
    assert redact(f"it said {value}", {name: value}) == f"it said {value}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"apiKey": "sk-1234", "model": "m"', '"apiKey": ***, "model": "m"'),
        ("Authorization: Basic b3BlbmNvZGU= sent", "Authorization: *** sent"),
        ("token=abc def", "token=*** def"),
        ("the key was pressed", "the key was pressed"),
    ],
)
def test_what_is_assigned_to_a_telling_name_is_hidden(text: str, shown: str) -> None:
    assert redact(text, {}) == shown
