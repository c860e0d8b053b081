"""Git repositories for tests of isolated worktrees, made with the installed git."""

import os
import subprocess
from pathlib import Path

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run git in a folder as a person would, and return what it printed."""
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    done = subprocess.run(  # noqa: S603 - the test's own command
        ["git", "-C", str(folder), *identity, *arguments],  # noqa: S607
        check=check,
        capture_output=True,
        env=ENVIRONMENT,
    )
    return done.stdout.decode().strip()


def make_repository(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Make a repository with one commit of some files."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    put(folder, files or {"a.txt": "one\ntwo\nthree\n", "src/b.txt": "b\n"})
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


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
