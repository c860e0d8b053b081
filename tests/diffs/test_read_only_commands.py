"""Shell lines that change no file, and those of which that cannot be seen."""

from opencode_mcp.diffs.read_only_commands import reads_only
from tests.harness.each import for_each


@for_each(
    "line",
    [
        "ls",
        "ls -la src && git status --short",
        "cat a.txt | grep -n hello | head -3",
        "git diff HEAD~1 2>/dev/null; echo done",
        "find . -name '*.py'",
        "sleep 300",
    ],
)
def test_a_line_of_reading_commands_reads_only(line: str) -> None:
    assert reads_only(line)


@for_each(
    "line",
    [
        "",
        "echo hi > a.txt",
        "ls; rm a.txt",
        "cat $(touch a.txt)",
        "git commit -am x",
        "git -C . status",
        "git diff --output=a.txt",
        "find . -name x -delete",
        "rg --pre ./run hello",
        "sort -o a.txt a.txt",
        "ls\ntouch a.txt",
        "npm run build",
        "FOO=1 ls",
    ],
)
def test_any_other_line_may_change_files(line: str) -> None:
    assert not reads_only(line)
