"""Files that decide what OpenCode runs and asks, by their names alone."""

from opencode_mcp.workspace.configuration.protected_files import decides_what_runs
from tests.harness.each import for_each


@for_each(
    "path",
    [
        "opencode.json",
        "OpenCode.JSON",
        "src/inner/opencode.jsonc",
        ".opencode/plugin/p.js",
        "./.opencode/command/x.md",
        "a/../.OPENCODE/agent/a.md",
        ".git/hooks/pre-commit",
        ".GIT/config",
        ".git./config",
        ".git /config",
        ".git::$INDEX_ALLOCATION/config",
        ".g\u200cit/config",
        "\uff0egit/config",
        "GIT~1/config",
        "OPENCO~1.JSO",
        "OPENCO~1/plugin/p.js",
        ".claude/skills/s/SKILL.md",
        ".agents/skills/s/SKILL.md",
        "node_modules/.bin/prettier",
        "src\\.opencode\\plugin\\p.js",
        "/somewhere/else/.opencode/plugin/p.js",
    ],
)
def test_a_file_of_the_setup_is_known_however_it_is_spelled(path: str) -> None:
    assert decides_what_runs(path)
    assert decides_what_runs(path, "/project")


@for_each(
    "path",
    [
        "README.md",
        "AGENTS.md",
        "src/opencode.py",
        "opencode.json.md",
        "docs/git/config",
        ".github/workflows/ci.yml",
        ".gitignore",
        "opencode.json/readme.txt",
        "",
    ],
)
def test_any_other_file_is_none(path: str) -> None:
    assert not decides_what_runs(path)


def test_how_the_project_itself_is_called_does_not_count() -> None:
    assert not decides_what_runs("/home/me/.opencode/project/README.md", "/home/me/.opencode/project")
    assert decides_what_runs("/home/me/.opencode/project/opencode.json", "/home/me/.opencode/project")
