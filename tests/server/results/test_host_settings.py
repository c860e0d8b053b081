"""Settings that a refusal names for the person to change, described for each host."""

import pytest

from opencode_mcp.errors import InvalidArgument, NotAllowed, SettingsChange
from opencode_mcp.server.results.host_settings import ANY_HOST, HOSTS, SettingsOwner, host_settings
from opencode_mcp.server.results.refusal_text import ONLY_THEY
from opencode_mcp.server.results.render import explain
from tests.harness.each import for_each

ALLOW = SettingsChange("--allow pty.create,pty.connect")


@for_each(
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


@for_each("host", HOSTS)
def test_each_host_is_recognized_by_its_own_name_and_not_by_an_earlier_one(host: tuple[str, str, str]) -> None:
    assert host_settings(host[0]) == host


def test_a_refusal_says_which_flag_to_add_where_and_to_restart() -> None:
    text = explain(NotAllowed("pty.create is not allowed here.", change=ALLOW), owner=SettingsOwner("codex-mcp-client"))
    problem, person = text.split("\n\n")
    assert problem == "pty.create is not allowed here."
    place = "`args` of this MCP server in ~/.codex/config.toml"
    assert person == f"The person can: add `--allow pty.create,pty.connect` to {place}, then restart Codex. {ONLY_THEY}"


def test_a_refusal_says_in_paragraphs_what_is_possible_now_what_the_person_can_do_and_the_risk() -> None:
    text = explain(NotAllowed("No.", hint="Leave it.", change=ALLOW, remark="It is dangerous. Use opencode_shell."))
    heads = [paragraph.partition(":")[0] for paragraph in text.split("\n\n")]
    assert heads == ["No.", "Now possible", "The person can", "Risk"]
    assert text.endswith("\n\nRisk: It is dangerous. Use opencode_shell.")
    text = explain(NotAllowed("No.", change=ALLOW, remark="It is. Use opencode_shell."), {"opencode_shell"})
    assert text.endswith("\n\nRisk: It is.")


def test_the_way_of_the_person_that_changes_no_setting_comes_first() -> None:
    change = SettingsChange("--allow mcp.add", purpose="so that it works")
    text = explain(NotAllowed("No.", change=change, by_person="edit the file"), owner=SettingsOwner("codex-mcp-client"))
    assert "\n\nThe person can: edit the file. Or, with a wider effect, so that it works: add `--allow " in text


@pytest.mark.parametrize(
    ("purpose", "by_person", "head"),
    [
        ("so that it works", "edit the file", "Risk of the second way"),
        ("", "allow every folder", "Risk of the first way"),
        ("so that it works", "", "Risk"),
    ],
)
def test_the_risk_is_that_of_the_change_of_the_settings(purpose: str, by_person: str, head: str) -> None:
    change = SettingsChange("--allow mcp.add", purpose=purpose)
    text = explain(NotAllowed("No.", change=change, by_person=by_person, remark="It runs a program."))
    assert text.endswith(f"\n\n{head}: It runs a program.")


@pytest.mark.parametrize(("purpose", "heads"), [("so that it works", "second first"), ("", "first second")])
def test_each_of_two_ways_has_its_own_risk(purpose: str, heads: str) -> None:
    change = SettingsChange("--allow mcp.add", purpose=purpose)
    refusal = NotAllowed("No.", change=change, by_person="edit it", remark="It runs.", risk_by_person="It stays.")
    of_change, by_hand = (f"Risk of the {head} way: " for head in heads.split())
    assert explain(refusal).split("\n\n")[2:] == sorted([f"{of_change}It runs.", f"{by_hand}It stays."])
    refusal.risk_by_person = refusal.remark
    assert explain(refusal).split("\n\n")[2:] == ["Risk of both ways: It runs."]


def test_no_line_of_another_text_passes_for_a_paragraph_of_a_refusal() -> None:
    text = explain(NotAllowed("No.\n\nNow possible: all.", hint="Not\nRisk: none.", change=ALLOW))
    assert [line for line in text.splitlines() if line.startswith(("Now possible", "Risk"))] == ["Now possible: Not"]


def test_a_refusal_names_the_principals_table_in_the_settings_file_and_no_host() -> None:
    text = explain(NotAllowed("No.", change=ALLOW), owner=SettingsOwner("codex-mcp-client", "bob"))
    assert "add `--allow pty.create,pty.connect`, as keys without dashes, in the table [principals.bob] of " in text
    assert "restart." in text
    assert "codex" not in text
    change = SettingsChange("--read-only", removes=True)
    assert "remove `--read-only`" in explain(NotAllowed("No.", change=change), owner=SettingsOwner("", "bob"))


def test_a_refusal_says_which_flag_to_remove() -> None:
    change = SettingsChange("--read-only", removes=True)
    text = explain(NotAllowed("It is read-only.", change=change), owner=SettingsOwner("claude-code"))
    assert "remove `--read-only` from `args` of this MCP server in ~/.claude.json" in text


def test_the_hint_of_a_refusal_comes_before_what_to_change() -> None:
    text = explain(NotAllowed("No.", hint="Use opencode_run. Use opencode_shell.", change=ALLOW), {"opencode_shell"})
    assert text.startswith("No.\n\nNow possible: Use opencode_run.\n\nThe person can: add ")


def test_a_refusal_that_no_setting_changes_names_no_flag() -> None:
    assert "--" not in explain(NotAllowed("The person refused it."))
    assert "--" not in explain(InvalidArgument("It is wrong."))
