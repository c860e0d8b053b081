"""Where the executable is looked for, and what is said when it is not there."""

from pathlib import Path

import pytest

from opencode_mcp.config import Settings
from opencode_mcp.errors import OpenCodeNotInstalled
from opencode_mcp.launcher import executable
from opencode_mcp.launcher.executable import find_executable

PLACEHOLDER = 'echo "Error: opencode-ai\'s postinstall script was not run." >&2\nexit 1\n'


@pytest.fixture(autouse=True)
def nothing_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executable, "SYSTEM_FOLDERS", ())


def put(folder: Path, content: str = "#!/bin/sh\n", *, mode: int = 0o755) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"opencode{executable.SUFFIXES[0]}"
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


def test_the_operators_choice_goes_before_path(tmp_path: Path) -> None:
    put(tmp_path / "path")
    named = put(tmp_path / "named")
    settings = Settings(opencode=str(named), environment={"PATH": str(tmp_path / "path")})
    assert find_executable(settings).path == named


def test_the_operators_choice_must_exist(tmp_path: Path) -> None:
    put(tmp_path / "path")
    settings = Settings(opencode=str(tmp_path / "absent"), environment={"PATH": str(tmp_path / "path")})
    with pytest.raises(OpenCodeNotInstalled, match=r"no OpenCode executable at .*absent"):
        find_executable(settings)


def test_the_operators_choice_must_be_executable(tmp_path: Path) -> None:
    path = put(tmp_path, mode=0o644)
    with pytest.raises(OpenCodeNotInstalled, match="is not executable"):
        find_executable(Settings(opencode=str(path)))


def test_the_operators_choice_must_be_more_than_a_placeholder(tmp_path: Path) -> None:
    path = put(tmp_path, PLACEHOLDER)
    with pytest.raises(OpenCodeNotInstalled, match=r"install is unfinished.*postinstall"):
        find_executable(Settings(opencode=str(path)))


def test_path_is_searched_in_its_order(tmp_path: Path) -> None:
    first, second = put(tmp_path / "a"), put(tmp_path / "b")
    settings = Settings(environment={"PATH": f"{tmp_path / 'none'}:{first.parent}:{second.parent}"})
    assert find_executable(settings).path == first


def test_a_relative_entry_of_path_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "tools")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OpenCodeNotInstalled):
        find_executable(Settings(environment={"PATH": "tools:"}))


def test_what_is_not_executable_on_path_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "a", mode=0o644)
    second = put(tmp_path / "b")
    assert find_executable(Settings(environment={"PATH": f"{tmp_path / 'a'}:{tmp_path / 'b'}"})).path == second


def test_a_placeholder_on_path_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "a", PLACEHOLDER)
    second = put(tmp_path / "b")
    assert find_executable(Settings(environment={"PATH": f"{tmp_path / 'a'}:{tmp_path / 'b'}"})).path == second


def test_where_only_a_placeholder_is_found_the_error_says_how_to_finish_the_install(tmp_path: Path) -> None:
    path = put(tmp_path, PLACEHOLDER)
    with pytest.raises(OpenCodeNotInstalled, match=r"node postinstall\.mjs") as caught:
        find_executable(Settings(environment={"PATH": str(tmp_path)}))
    assert str(path) in caught.value.message


@pytest.mark.parametrize("folder", executable.HOME_FOLDERS)
def test_the_folders_that_installers_use_are_searched(tmp_path: Path, folder: str) -> None:
    path = put(tmp_path / folder)
    assert find_executable(Settings(environment={"HOME": str(tmp_path)})).path == path


def test_npms_own_prefix_is_searched(tmp_path: Path) -> None:
    path = put(tmp_path / "bin")
    assert find_executable(Settings(environment={"npm_config_prefix": str(tmp_path)})).path == path


def test_not_found_says_how_to_install_it_and_how_to_point_to_it() -> None:
    with pytest.raises(OpenCodeNotInstalled) as caught:
        find_executable(Settings(environment={"PATH": ""}))
    for remedy in ("npm install -g opencode-ai", "https://opencode.ai", "--opencode", "OPENCODE_BIN"):
        assert remedy in caught.value.hint
