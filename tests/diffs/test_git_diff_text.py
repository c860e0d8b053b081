"""Parsing of the patches that git itself prints."""

from pathlib import Path

import pytest

from opencode_mcp.diffs.git_diff_text import parse_raw, paths_in
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from tests.harness.project import git


def changes(project: Path, *options: str) -> dict[str, FileDiff]:
    git(project, "add", "--all")
    return {diff.file: diff for diff in parse_raw(git(project, *options, "diff", "--cached"))}


def test_files_that_were_changed_added_and_deleted_are_reported_with_their_lines(project: Path) -> None:
    (project / "README.md").write_text("# Sample\n\nA larger project.\nWith -- dashes.\n", encoding="utf-8")
    (project / "docs/notes.txt").unlink()
    (project / "a b.txt").write_text("-- x\n", encoding="utf-8")
    parsed = changes(project)
    assert {file: (one.status, one.additions, one.deletions) for file, one in parsed.items()} == {
        "README.md": ("modified", 2, 1),
        "docs/notes.txt": ("deleted", 0, 3),
        "a b.txt": ("added", 1, 0),
    }
    assert parsed["a b.txt"].patch.endswith("@@ -0,0 +1 @@\n+-- x\n")


def test_a_renamed_file_is_reported_by_its_new_name(project: Path) -> None:
    (project / "docs/notes.txt").rename(project / "docs/moved.txt")
    assert {file: one.status for file, one in changes(project).items()} == {"docs/moved.txt": "renamed"}


def test_a_renamed_and_a_copied_file_name_both_their_paths(project: Path) -> None:
    (project / "docs/notes.txt").rename(project / "docs/moved.txt")
    git(project, "add", "--all")
    patch = git(project, "diff", "--cached")
    copied = patch.replace("rename from ", "copy from ").replace("rename to ", "copy to ")
    for text in (patch, copied):
        assert paths_in(text) == ["docs/moved.txt", "docs/notes.txt"]


@pytest.mark.parametrize("quoting", ["true", "false"])
@pytest.mark.parametrize("name", ["ünï.txt", "empty b/x", 'quo"te\\.txt', "tab\tstop.txt"])
def test_a_name_that_git_quotes_is_reported_as_it_is(project: Path, name: str, quoting: str) -> None:
    path = project / name
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x\n", encoding="utf-8")
    except OSError:
        pytest.skip("this system has no such names")
    assert list(changes(project, "-c", f"core.quotePath={quoting}")) == [name]


@pytest.mark.parametrize("content", [b"", b"\0\1"], ids=["empty", "binary"])
def test_a_file_without_lines_is_reported_by_name(project: Path, content: bytes) -> None:
    (project / "ünï x.bin").write_bytes(content)
    (parsed,) = changes(project).values()
    assert (parsed.file, parsed.status, parsed.additions) == ("ünï x.bin", "added", 0)


def test_no_patch_gives_no_files() -> None:
    assert parse_raw("\n") == []
