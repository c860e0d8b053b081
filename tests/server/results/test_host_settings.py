"""Settings that a refusal names for the person to change, described for each host."""

import pytest

from opencode_mcp.errors import InvalidArgument, NotAllowed, SettingsChange
from opencode_mcp.server.results.host_settings import ANY_HOST, HOSTS, host_settings
from opencode_mcp.server.results.render import explain

ALLOW = SettingsChange("--allow pty.create,pty.connect")


@pytest.mark.parametrize(
    ("client_name", "title"),
    [
        ("claude-code", "Claude Code"),
        ("claude-ai", "Claude Desktop"),
        ("codex-mcp-client", "Codex"),
        ("cursor-vscode", "Cursor"),
        ("Visual Studio Code", "VS Code"),
        ("gemini-cli-mcp-client-opencode", "Gemini CLI"),
        ("opencode", "OpenCode"),
        ("something-new", ANY_HOST.title),
        ("", ANY_HOST.title),
    ],
)
def test_a_host_is_recognized_by_its_name(client_name: str, title: str) -> None:
    assert host_settings(client_name).title == title


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.title)
def test_each_host_is_recognized_by_its_own_name_and_not_by_an_earlier_one(host: tuple[str, str, str]) -> None:
    assert host_settings(host[0]) == host


def test_a_refusal_says_which_flag_to_add_where_and_to_restart() -> None:
    told = explain(NotAllowed("pty.create is not allowed here.", change=ALLOW), client_name="codex-mcp-client")
    assert told.startswith("pty.create is not allowed here. Only the person can allow it; do not change it yourself.")
    assert "add `--allow pty.create,pty.connect` to `args` of this MCP server in ~/.codex/config.toml" in told
    assert told.endswith("then restart Codex.")


def test_a_refusal_says_what_to_do_before_why() -> None:
    told = explain(NotAllowed("No.", hint="Leave it.", change=ALLOW, remark="It is dangerous. Use opencode_shell."))
    assert told.startswith("No. Leave it. Only the person")
    assert told.endswith(". It is dangerous. Use opencode_shell.")
    told = explain(NotAllowed("No.", change=ALLOW, remark="It is. Use opencode_shell."), {"opencode_shell"})
    assert told.endswith(". It is.")


def test_a_refusal_says_which_flag_to_remove() -> None:
    change = SettingsChange("--read-only", removes=True)
    told = explain(NotAllowed("It is read-only.", change=change), client_name="claude-code")
    assert "remove `--read-only` from `args` of this MCP server in ~/.claude.json" in told


def test_the_hint_of_a_refusal_comes_before_what_to_change() -> None:
    told = explain(NotAllowed("No.", hint="Use opencode_run. Use opencode_shell.", change=ALLOW), {"opencode_shell"})
    assert told.startswith("No. Use opencode_run. Only the person can allow it")


def test_a_refusal_that_no_setting_changes_names_no_flag() -> None:
    assert "--" not in explain(NotAllowed("The person refused it."))
    assert "--" not in explain(InvalidArgument("It is wrong."))
