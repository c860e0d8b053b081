"""A project for OpenCode to work in."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.harness.processes.isolation import basics

FILES = {
    "README.md": "# Sample\n\nA small project.\n",
    "src/greet.py": 'def greet(name: str) -> str:\n    """Greet somebody."""\n    return f"Hello, {name}"\n',
    "docs/notes.txt": "one\ntwo\nthree\n",
}
SNAPSHOTS: Mapping[str, object] = {"snapshot": True}
"""Settings for a project of which OpenCode is to know what each run changes; see ``isolation.without_snapshots``."""
SCHEMA = {"$schema": "https://opencode.ai/config.json"}
"""OpenCode writes this into settings that lack it, which would be a change of the project."""
IDENTITY = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


OF_MODULE: set[Path] = set()
"""Projects of the module whose tests run, which OpenCode may have open."""


def make_project(directory: Path, *, for_all_modules: bool = False) -> Path:
    """Make a git repository with a few files in one commit on the branch ``main``.

    Args:
        directory: Folder of the project.
        for_all_modules: True if tests of other modules use it, too. OpenCode closes other projects after their module.
    """
    for name, content in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
    git(directory, "init", "--quiet", "--initial-branch=main")
    commit(directory)
    if not for_all_modules:
        OF_MODULE.add(directory)
    return directory


def configure(directory: Path, config: Mapping[str, object]) -> None:
    """Give a project its own OpenCode settings, such as ``{"permission": {"bash": "ask"}}``, in a commit.

    OpenCode reads them when it first works in the directory.
    """
    (directory / "opencode.json").write_text(json.dumps({**SCHEMA, **config}), encoding="utf-8")
    commit(directory)


def commit(directory: Path) -> None:
    """Commit all that changed."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message=Change")


def git(directory: Path, *arguments: str) -> str:
    """Run git in a directory, heedless of the user's own settings, and return what it prints."""
    command = ["git", *arguments]
    done = subprocess.run(  # noqa: S603 - the test's own arguments
        command, cwd=directory, env=basics() | IDENTITY, check=True, capture_output=True, text=True, encoding="utf-8"
    )
    return done.stdout


def make_long_path(project: Path, *, folders: int = 4) -> Path:
    """Put a file into folders with long names, one in the other; OpenCode 1.18.33 aborts when it ranks its path."""
    folder = project.joinpath(*["a" * 200] * folders)
    folder.mkdir(parents=True)
    file = folder / "long.txt"
    file.write_text("far away\n", encoding="utf-8")
    return file
