"""Search for the executable, and the error if it is not found."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from opencode_mcp.errors import OpenCodeNotInstalled
from opencode_mcp.launcher.executables import executable
from opencode_mcp.launcher.executables.executable import find_executable
from opencode_mcp.launcher.executables.executable_version import forget_versions
from opencode_mcp.launcher.executables.serve_command import serve_environment
from opencode_mcp.opencode.versions import Generation
from opencode_mcp.settings import Settings

PLACEHOLDER = 'echo "Error: opencode-ai\'s postinstall script was not run." >&2\nexit 1\n'


@pytest.fixture(autouse=True)
def nothing_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executable, "SYSTEM_FOLDERS", ())


def put(folder: Path, content: str = "#!/bin/sh\n", *, mode: int = 0o755, name: str = "opencode") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{executable.SUFFIXES[0]}"
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


# The generation


def printing(version: str, runs: Path | None = None) -> str:
    """A program that prints a version, and notes that it was run."""
    note = f"echo run >> {runs}\n" if runs else ""
    return f"#!/bin/sh\n{note}echo '{version}'\n"


def settings_for(tmp_path: Path, *folders: str) -> Settings:
    path = ":".join(str(tmp_path / folder) for folder in folders)
    return Settings(environment={"PATH": path}, state_directory=tmp_path / "state")


def test_of_both_generations_the_newest_is_chosen_wherever_it_is_found(tmp_path: Path) -> None:
    put(tmp_path / "a", printing("1.18.33"))
    second = put(tmp_path / "b", printing("opencode v2.0.19"))
    found = find_executable(settings_for(tmp_path, "a", "b"))
    assert (found.path, found.generation, found.version) == (second, 2, "2.0.19")


def test_of_one_generation_the_first_is_chosen_though_a_later_one_is_newer(tmp_path: Path) -> None:
    first = put(tmp_path / "a", printing("2.0.19"))
    put(tmp_path / "b", printing("2.1.2"))
    assert find_executable(settings_for(tmp_path, "a", "b")).path == first


def test_the_operator_can_choose_the_older_generation(tmp_path: Path) -> None:
    older = put(tmp_path / "a", printing("1.18.33"))
    put(tmp_path / "b", printing("2.1.2"))
    found = find_executable(replace(settings_for(tmp_path, "b"), opencode=str(older)))
    assert (found.path, found.generation) == (older, 1)


def test_opencode_2_is_also_found_by_its_other_name(tmp_path: Path) -> None:
    put(tmp_path / "a", printing("1.18.33"))
    second = put(tmp_path / "a", printing("2.1.2"), name="opencode2")
    assert find_executable(settings_for(tmp_path, "a")).path == second


def test_the_version_of_an_npm_package_is_read_without_running_it(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    binary = put(tmp_path / "lib" / "@opencode" / "cli" / "bin", printing("9.9.9", runs))
    package = {"name": "@opencode/cli", "version": "2.1.2"}
    (binary.parents[1] / "package.json").write_text(json.dumps(package), encoding="utf-8")
    link = tmp_path / "bin" / "opencode"
    link.parent.mkdir()
    link.symlink_to(binary)
    found = find_executable(settings_for(tmp_path, "bin"))
    assert (found.path, found.generation, found.version) == (link, 2, "2.1.2")
    assert not runs.exists()


def test_the_version_in_a_package_of_another_name_is_not_used(tmp_path: Path) -> None:
    binary = put(tmp_path / "opencode-tools" / "bin", printing("2.1.2"))
    package = {"name": "opencode-tools", "version": "1.0.0"}
    (binary.parents[1] / "package.json").write_text(json.dumps(package), encoding="utf-8")
    assert find_executable(settings_for(tmp_path, "opencode-tools/bin")).version == "2.1.2"


def test_an_unchanged_program_is_run_for_its_version_once(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    put(tmp_path / "a", printing("2.1.2", runs))
    settings = settings_for(tmp_path, "a")
    assert [find_executable(settings).version for _ in range(3)] == ["2.1.2"] * 3
    assert runs.read_text(encoding="utf-8") == "run\n"
    forget_versions(settings)
    assert find_executable(settings).version == "2.1.2"
    assert runs.read_text(encoding="utf-8") == "run\nrun\n"


def test_a_program_that_was_replaced_is_run_again(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "a")
    put(tmp_path / "a", printing("1.18.33"))
    assert find_executable(settings).generation == 1
    put(tmp_path / "a", printing("2.1.2"))
    assert find_executable(settings).generation == 2


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"x": 1}', "[" * 100_000])
def test_what_was_kept_of_the_versions_may_be_damaged(tmp_path: Path, kept: str) -> None:
    settings = settings_for(tmp_path, "a")
    settings.state_directory.mkdir(mode=0o700)
    (settings.state_directory / "executables.json").write_text(kept, encoding="utf-8")
    put(tmp_path / "a", printing("2.1.2"))
    assert find_executable(settings).generation == 2


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\necho unknown\n", "no program"])
def test_a_program_that_prints_no_version_counts_as_the_first_generation(tmp_path: Path, content: str) -> None:
    put(tmp_path / "a", content)
    assert find_executable(settings_for(tmp_path, "a")).generation == 1


@pytest.mark.parametrize("generation", [1, 2])
def test_the_script_that_a_server_runs_first_is_installed(generation: Generation) -> None:
    variables = serve_environment(generation, {}, username="opencode", password="x")
    assert "delete" in Path(variables["BUN_INSPECT_PRELOAD"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("generation", [1, 2])
def test_a_server_lets_git_start_no_program_that_a_repository_names_for_files_or_missing_objects(
    generation: Generation,
) -> None:
    given = serve_environment(generation, {}, username="opencode", password="x")
    assert given["GIT_NO_LAZY_FETCH"] == "1"
    assert (given["GIT_CONFIG_KEY_0"], given["GIT_CONFIG_VALUE_0"]) == ("core.fsmonitor", "false")
    own = {"GIT_NO_LAZY_FETCH": "0", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    assert own.items() <= serve_environment(generation, own, username="opencode", password="x").items()


@pytest.mark.parametrize("generation", [1, 2])
def test_a_server_makes_no_index_of_files_unless_the_person_wants_it(generation: Generation) -> None:
    given = serve_environment(generation, {}, username="opencode", password="x")
    assert given["OPENCODE_DISABLE_FFF"] == "1"
    own = {"OPENCODE_DISABLE_FFF": "0"}
    assert own.items() <= serve_environment(generation, own, username="opencode", password="x").items()
