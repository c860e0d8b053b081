"""Sources of the settings, their order, and the values that are kept secret."""

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.options import OPTIONS, Option
from opencode_mcp.settings import Settings, read_environment, read_file, resolve, settings_file, state_directory

HERE = str(Path(__file__).parent)
SAMPLES = {
    "url": "http://127.0.0.1:4096",
    "on_finish_url": "https://example.com/reports/",
    "directories": HERE,
    "model": "anthropic/claude-opus",
    "attach": "service",
    "permissions": "agent",
    "max_cost": "0.5",
    "max_minutes": "10",
    "max_steps": "20",
    "verify_seconds": "1200",
    "max_runs": "20",
    "max_cost_a_day": "20",
    "wait": "30",
    "stop_after": "3600",
    "max_depth": "2",
    "abort_on_cancel": "true",
    "read_only": "true",
    "http": "127.0.0.1:8700",
    "http_origin": "https://page.example",
    "forwarded_allow": "10.0.0.0/8",
    "metrics": "127.0.0.1:9464",
    "insecure_no_auth": "true",
    "key_file": HERE,
    "log_level": "DEBUG",
}
"""A good text for each option that does not take any text."""
KEY = {"on_finish_key": "the address needs it"}
SAID_AS_TEXT = [option for option in OPTIONS if option.variables]


def settings_file_with(folder: Path, text: str) -> dict[str, str]:
    """Write a settings file, and give the environment that names it."""
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return {"OPENCODE_MCP_CONFIG": str(path)}


@pytest.fixture
def no_file(tmp_path: Path) -> dict[str, str]:
    """An environment without a settings file."""
    return {"OPENCODE_MCP_CONFIG": str(tmp_path / "none.toml")}


@pytest.mark.parametrize("option", SAID_AS_TEXT, ids=lambda option: option.name)
def test_an_option_can_be_said_by_flag_by_variable_and_in_the_file(
    option: Option, tmp_path: Path, no_file: dict[str, str]
) -> None:
    text = SAMPLES.get(option.name, "something")
    said = [text] if option.kind == "list" else text
    written = settings_file_with(tmp_path, f"{option.name} = {json.dumps(said)}")
    sources = [
        resolve({option.name: said, **KEY}, no_file),
        resolve({**KEY}, written),
        *(resolve({**KEY}, {**no_file, variable: text}) for variable in option.variables),
    ]
    assert {getattr(settings, option.name) for settings in sources} == {option.read(said)}


def test_every_option_is_a_field_of_the_settings() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)}
    own = {
        "depth",
        "flags",
        "inside",
        "missing_scopes",
        "principal",
        "runs_at_once",
        "state_directory",
        "environment",
        "started_in",
    }
    assert {option.name for option in OPTIONS} == fields - own


def test_a_flag_wins_over_a_variable_which_wins_over_the_file(tmp_path: Path) -> None:
    environment = settings_file_with(tmp_path, 'model = "a/file"\nagent = "file"\nusername = "file"')
    environment |= {"OPENCODE_MCP_MODEL": "a/variable", "OPENCODE_MCP_AGENT": "variable"}
    settings = resolve({"model": "a/flag"}, environment)
    assert (settings.model, settings.agent, settings.username) == ("a/flag", "variable", "file")


def test_the_bridges_own_variable_wins_over_opencodes(no_file: dict[str, str]) -> None:
    environment = {"OPENCODE_SERVER_PASSWORD": "theirs", "OPENCODE_MCP_PASSWORD": "ours"}
    assert resolve({}, no_file | environment).password == "ours"


def test_an_empty_variable_sets_nothing() -> None:
    assert read_environment({"OPENCODE_MCP_AGENT": "", "OPENCODE_MCP_DIRECTORY": ""}) == {}


def test_a_variable_lists_several_directories_as_path_does() -> None:
    said = read_environment({"OPENCODE_MCP_DIRECTORY": os.pathsep.join(["/one", "/two", ""])})
    assert said == {"directories": ["/one", "/two"]}


def test_a_variable_lists_other_things_with_commas() -> None:
    assert read_environment({"OPENCODE_MCP_DENY": "pty.create, delete"}) == {"deny": ["pty.create", "delete"]}


def test_rules_can_be_written_only_in_the_file(tmp_path: Path) -> None:
    text = 'permission_rules.bash = "human"\n[permission_rules.edit]\n"docs/*" = "allow"'
    rules = resolve({}, settings_file_with(tmp_path, text)).permission_rules
    assert rules == {"bash": {"*": "human"}, "edit": {"docs/*": "allow"}}


def test_without_anything_set_the_bridge_looks_for_opencode_itself(no_file: dict[str, str]) -> None:
    settings = resolve({}, no_file)
    assert (settings.attached, settings.remote) == (False, False)
    assert settings == Settings(state_directory=settings.state_directory, environment=settings.environment), (
        "what is not said is the default"
    )


@pytest.mark.parametrize(
    ("url", "remote"),
    [("http://127.0.0.1:1", False), ("http://localhost:1", False), ("http://[::1]:1", False), ("https://far", True)],
)
def test_only_another_machine_is_remote(url: str, remote: object) -> None:
    settings = Settings(url=url)
    assert (settings.attached, settings.remote) == (True, remote)


def test_a_wrong_value_is_refused_by_its_flag_and_its_variables(no_file: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting) as refused:
        resolve({}, no_file | {"OPENCODE_MCP_MODEL": "opus"})
    for part in ("--model", "OPENCODE_MCP_MODEL", "'opus' names no provider", "looks like anthropic/claude-opus"):
        assert part in str(refused.value)


def test_two_servers_to_attach_to_are_refused(no_file: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting, match="--attach service and --url http://host:1 are two different servers"):
        resolve({"attach": "service"}, no_file | {"OPENCODE_MCP_URL": "http://host:1"})


def test_a_password_in_a_url_is_not_repeated_in_the_error(no_file: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting) as refused:
        resolve({"url": "http://me:hush@host:1"}, no_file)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agent = plan", "is not a TOML file"),
        ('agnet = "plan"', "'agnet'"),
        ("agent = 3", "It must be a text"),
        ('toolsets = {a = "b"}', "It must be a list of texts"),
        ('read_only = "maybe"', "It must be true or false"),
    ],
)
def test_a_settings_file_with_a_mistake_is_refused(text: str, said: str, tmp_path: Path) -> None:
    environment = settings_file_with(tmp_path, text)
    with pytest.raises(InvalidSetting) as refused:
        resolve({}, environment)
    assert said in str(refused.value)


def test_a_key_that_no_option_has_is_refused_with_the_file_and_all_keys(tmp_path: Path) -> None:
    environment = settings_file_with(tmp_path, 'agnet = "plan"')
    with pytest.raises(InvalidSetting) as refused:
        resolve({}, environment)
    assert environment["OPENCODE_MCP_CONFIG"] in refused.value.message
    assert all(option.name in refused.value.hint for option in OPTIONS)


def test_a_settings_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidSetting, match="not a TOML file"):
        read_file(path)


def test_a_missing_settings_file_sets_nothing(tmp_path: Path) -> None:
    assert read_file(tmp_path / "none.toml") == {}


def test_secrets_are_in_no_repr() -> None:
    shown = repr(Settings(password="hush", environment={"ANTHROPIC_API_KEY": "hush"}))
    assert "hush" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="its folders go by other names")
def test_files_live_in_the_users_folders() -> None:
    home = {"HOME": "/home/me"}
    assert settings_file(home) == Path("/home/me/.config/opencode-mcp/config.toml")
    assert settings_file(home | {"XDG_CONFIG_HOME": "/config"}) == Path("/config/opencode-mcp/config.toml")
    assert state_directory(home) == Path("/home/me/.local/state/opencode-mcp")
    assert state_directory(home | {"XDG_STATE_HOME": "/state"}) == Path("/state/opencode-mcp")


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere the folders go by other names")
def test_on_windows_files_live_in_the_application_folders(tmp_path: Path) -> None:
    environment = {"APPDATA": str(tmp_path / "roaming"), "LOCALAPPDATA": str(tmp_path / "local")}
    assert settings_file(environment) == tmp_path / "roaming" / "opencode-mcp" / "config.toml"
    assert state_directory(environment) == tmp_path / "local" / "opencode-mcp"


def test_files_live_where_variables_say(tmp_path: Path) -> None:
    assert settings_file({"OPENCODE_MCP_CONFIG": str(tmp_path / "a.toml")}) == tmp_path / "a.toml"
    assert state_directory({"OPENCODE_MCP_STATE": str(tmp_path)}) == tmp_path


def test_a_relative_state_folder_is_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"OPENCODE_MCP_STATE .* Give an absolute path"):
        state_directory({"OPENCODE_MCP_STATE": "state"})


def test_a_relative_folder_of_xdg_is_ignored() -> None:
    assert state_directory({"HOME": "/home/me", "XDG_STATE_HOME": "state"}).is_relative_to("/home/me")
