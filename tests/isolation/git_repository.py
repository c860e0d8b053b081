"""Git repositories for tests of isolated worktrees, made with the installed git."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
SETTINGS = ("user.name=Ann", "user.email=ann@example.com", "maintenance.auto=false")
START = {"a.txt": "one\ntwo\nthree\n", "src/b.txt": "b\n"}


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run git in a folder as a person would, and return what it printed."""
    settings = [option for setting in SETTINGS for option in ("-c", setting)]
    done = subprocess.run(  # noqa: S603 - the test's own command
        ["git", "-C", str(folder), *settings, *arguments],  # noqa: S607
        check=check,
        capture_output=True,
        env=ENVIRONMENT,
    )
    return done.stdout.decode().strip()


def make_repository(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Make a repository with one commit of some files, as a copy of one that git has made for another test."""
    made = _made_once(tuple((files or START).items()))
    shutil.copytree(made.name, folder, dirs_exist_ok=True)
    # The index of the copy has the times and numbers of the other files.
    git(folder, "update-index", "--refresh")
    return folder


@cache
def _made_once(files: tuple[tuple[str, str], ...]) -> TemporaryDirectory[str]:
    """Make a repository that is removed at the end of the test run."""
    made = TemporaryDirectory(prefix="repository-", ignore_cleanup_errors=True)
    folder = Path(made.name)
    # Without the examples of hooks, which are two thirds of the files.
    git(folder, "init", "--quiet", "--initial-branch=main", "--template=")
    for name in ("hooks", "info"):
        (folder / ".git" / name).mkdir()
    put(folder, dict(files))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    return made


def put(folder: Path, files: dict[str, str]) -> None:
    """Write files; folders are made."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder, without git's own."""
    found = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
