"""In which of OpenCode's files a name is found, and what a name cannot reach."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from opencode_mcp.disk.regular_file import read_beginning
from opencode_mcp.opencode.vocabulary.wire.project_objects import Paths
from opencode_mcp.text.jsonc import read_jsonc
from opencode_mcp.workspace.configuration.definitions import (
    DefinitionQuery,
    Folders,
    find_definition,
    folders_of,
    mcp_servers_in,
)
from tests.harness.each import for_each


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    paths = Paths(
        directory=str(tmp_path / "repository/app"),
        worktree=str(tmp_path / "repository"),
        home=str(tmp_path / "home"),
        config=str(tmp_path / "home/.config/opencode"),
    )
    return folders_of(paths, {"OPENCODE_CONFIG_DIR": str(tmp_path / "extra"), "OPENCODE_CONFIG": str(tmp_path / "one")})


def write(path: Path, content: str | dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


MODEL: dict[str, Any] = {"provider": {"p": {"models": {"m/x": {"variants": {"high": {}}}}}}}
VARIANT_OF_2: dict[str, Any] = {"providers": {"p": {"models": {"m/x": {"variants": ["?", {"id": "high"}]}}}}}


@pytest.mark.parametrize(
    ("file", "content", "query"),
    [
        ("repository/app/.opencode/agent/a.md", "x", DefinitionQuery("agent", ("a",))),
        ("repository/.opencode/agents/team/a.md", "x", DefinitionQuery("agent", ("team/a",))),
        ("repository/app/.opencode/modes/a.md", "x", DefinitionQuery("agent", ("a",))),
        ("home/.opencode/agent/a.md", "x", DefinitionQuery("agent", ("a",))),
        ("home/.config/opencode/agent/a.md", "x", DefinitionQuery("agent", ("a",))),
        ("extra/agent/a.md", "x", DefinitionQuery("agent", ("a",))),
        ("repository/opencode.json", {"agent": {"a": {}}}, DefinitionQuery("agent", ("a",))),
        ("repository/opencode.jsonc", {"mode": {"a": {}}}, DefinitionQuery("agent", ("a",))),
        ("one", {"agent": {"a": {}}}, DefinitionQuery("agent", ("a",))),
        ("repository/app/.opencode/command/c d.md", "x", DefinitionQuery("command", ("c d",))),
        ("repository/.opencode/skills/c/SKILL.md", "x", DefinitionQuery("command", ("c",))),
        ("repository/.claude/skills/c/SKILL.md", "x", DefinitionQuery("command", ("c",))),
        ("home/.agents/skills/c/SKILL.md", "x", DefinitionQuery("command", ("c",))),
        ("repository/app/.opencode/opencode.json", {"command": {"c": {}}}, DefinitionQuery("command", ("c",))),
        ("repository/opencode.json", MODEL, DefinitionQuery("model", ("p", "m/x"))),
        ("repository/opencode.json", MODEL, DefinitionQuery("variant", ("p", "m/x", "high"))),
        ("repository/opencode.json", VARIANT_OF_2, DefinitionQuery("variant", ("p", "m/x", "high"))),
        ("repository/opencode.json", MODEL, DefinitionQuery("credential", ("p",))),
        ("home/.local/share/opencode/auth.json", {"p": {"type": "api"}}, DefinitionQuery("credential", ("p",))),
    ],
)
def test_a_name_is_found_where_opencode_would_find_it(
    folders: Folders, tmp_path: Path, file: str, content: str | dict[str, Any], query: DefinitionQuery
) -> None:
    assert find_definition(folders, query) is None
    write(tmp_path / file, content)
    found = find_definition(folders, query)
    assert found is not None
    assert found.path == tmp_path / file
    assert not found.is_user_settings


@pytest.mark.parametrize("name", ["config.json", "opencode.json", "opencode.jsonc"])
def test_the_users_own_settings_are_recognised(folders: Folders, name: str) -> None:
    write(folders.config / name, {"agent": {"a": {}}})
    found = find_definition(folders, DefinitionQuery("agent", ("a",)))
    assert found is not None
    assert found.is_user_settings


def test_a_repositorys_neighbours_define_nothing(folders: Folders, tmp_path: Path) -> None:
    write(tmp_path / ".opencode/agent/a.md", "x")
    assert find_definition(folders, DefinitionQuery("agent", ("a",))) is None


@pytest.mark.parametrize("name", ["", "..", "../a", "x/../../a", "/a", "a\0", "a" * 5000, "a\udc80"])
def test_a_name_that_is_no_plain_path_is_defined_nowhere(folders: Folders, tmp_path: Path, name: str) -> None:
    write(tmp_path / "repository/.opencode/a.md", "x")
    assert find_definition(folders, DefinitionQuery("agent", (name,))) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '"agent"', '{"agent": []}', '{"agent": {"b": {}}}', "\0\0", "[" * 500]
)
def test_settings_that_cannot_be_used_define_nothing(folders: Folders, tmp_path: Path, content: str) -> None:
    write(tmp_path / "repository/opencode.json", content)
    assert find_definition(folders, DefinitionQuery("agent", ("a",))) is None


def test_a_changed_file_is_in_another_state(folders: Folders, tmp_path: Path) -> None:
    file, query = tmp_path / "repository/.opencode/agent/a.md", DefinitionQuery("agent", ("a",))
    write(file, "x")
    before = find_definition(folders, query)
    write(file, "longer")
    after = find_definition(folders, query)
    assert before is not None
    assert after is not None
    assert before.state != after.state


def test_comments_and_trailing_commas_are_left_out_except_in_strings() -> None:
    text = '{ // one\n "a": "// not /* one */ ,}", /* two\n */ "b": [1, 2, // three\n ],\n}'
    assert read_jsonc(text) == {"a": "// not /* one */ ,}", "b": [1, 2]}


@for_each("piece", ["/*", '"', ", ", '"\\', "//", ",\n", "/* */", ",}"])
def test_hostile_settings_cost_time_in_proportion_to_their_length(piece: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError):  # noqa: PT011 - any kind of not being JSON will do
        read_jsonc(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 5


def test_only_a_regular_files_beginning_is_read(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"abcdef")
    link.symlink_to(file)
    assert read_beginning(file, 3) == b"abc"
    assert read_beginning(link, 9, follow=True) == b"abcdef"
    with pytest.raises(OSError, match="link"):
        read_beginning(link, 9)


def test_the_folders_that_opencode_2_does_not_name_are_those_of_its_environment(tmp_path: Path) -> None:
    paths = Paths(directory=str(tmp_path / "project"), worktree=str(tmp_path / "project"))
    folders = folders_of(paths, {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert (folders.home, folders.config) == (tmp_path / "home", tmp_path / "config" / "opencode")
    assert folders_of(paths, {"HOME": str(tmp_path)}).config == tmp_path / ".config" / "opencode"
    settings = tmp_path / "project" / "opencode.json"
    settings.parent.mkdir()
    settings.write_text('{"agents": {"brief": {}}, "commands": {"greet": {}}}', encoding="utf-8")
    for query in (DefinitionQuery("agent", ("brief",)), DefinitionQuery("command", ("greet",))):
        found = find_definition(folders, query)
        assert found
        assert found.path == settings


def test_the_mcp_servers_of_all_settings_files_are_found_in_the_form_of_each_generation(folders: Folders) -> None:
    entry = {"type": "local", "command": ["x"]}
    write(folders.project[0] / "opencode.json", {"mcp": {"near": entry, "broken": "x", "changed": {"enabled": False}}})
    write(folders.config / "opencode.jsonc", {"mcp": {"user": entry, "near": entry}})
    write(folders.project[1] / "opencode.json", {"mcp": {"servers": {"second": entry}}})
    assert mcp_servers_in(folders, ["mcp", "servers"]) == ["second"]
    write(folders.project[1] / "opencode.json", "{")
    assert mcp_servers_in(folders, ["mcp"]) == ["near", "user"]
