"""Changed files of a report: from OpenCode's diffs, and from what steps and tool calls name."""

from collections.abc import Iterable

from opencode_mcp.diffs.authorship import AuthorFinder, WriteCall
from opencode_mcp.diffs.named_files import absolute
from opencode_mcp.opencode.vocabulary.default_titles import made_title
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.runs.outcome.run_report import ChangedFile, OtherSession

NOT_SHOWN = "changed"
"""Change of a file whose diff is missing."""


def add_authors(files: list[ChangedFile], finder: AuthorFinder) -> None:
    """Add to each file whose change it is."""
    for file in files:
        authorship = finder.find(file.path)
        file.whose = authorship.whose
        file.others = [_other_session(call) for call in authorship.others]


def _other_session(call: WriteCall) -> OtherSession:
    return OtherSession(session_id=call.session_id, title=made_title(call.title))


def list_missing(paths: Iterable[str], directory: str) -> list[ChangedFile]:
    """Return entries for files that steps changed, and whose diff OpenCode does not have."""
    return [ChangedFile(path=name, change=NOT_SHOWN, added=0, removed=0) for name in _inside(paths, directory)]


def list_named(paths: Iterable[str], directory: str) -> list[ChangedFile]:
    """Return entries for files that only tool calls name, since OpenCode does not record them."""
    names = _inside(paths, directory)
    return [ChangedFile(path=name, change=NOT_SHOWN, added=0, removed=0, by_calls=True) for name in names]


def _inside(paths: Iterable[str], directory: str) -> list[str]:
    """Return absolute paths as relative ones, as far as they are in a directory."""
    prefix = absolute(".", directory) + "/"
    return sorted(path.removeprefix(prefix) for path in paths)


def list_outside(paths: Iterable[str]) -> list[ChangedFile]:
    """Return entries for files outside of the project, which OpenCode does not compare."""
    return [ChangedFile(path=path, change=NOT_SHOWN, added=0, removed=0, outside=True) for path in sorted(paths)]


def list_files(diffs: list[FileDiff], directory: str) -> list[ChangedFile]:
    """Return the files of a diff, with paths relative to the directory where they are in it."""
    prefix = directory.rstrip("/\\") + "/"
    return [
        ChangedFile(
            path=diff.file.removeprefix(prefix), change=diff.status, added=diff.additions, removed=diff.deletions
        )
        for diff in diffs
    ]
