"""A project for OpenCode to work in."""

import subprocess
from pathlib import Path

FILES = {
    "README.md": "# Sample\n\nA small project.\n",
    "src/greet.py": 'def greet(name: str) -> str:\n    """Greet somebody."""\n    return f"Hello, {name}"\n',
    "docs/notes.txt": "one\ntwo\nthree\n",
}
AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")


def make_project(directory: Path) -> Path:
    """Make a git repository with a few files in one commit on the branch ``main``."""
    for name, content in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
    git(directory, "init", "--quiet", "--initial-branch=main")
    git(directory, "add", "--all")
    git(directory, *AUTHOR, "commit", "--quiet", "--message=Start")
    return directory


def git(directory: Path, *arguments: str) -> str:
    """Run git in a directory and return what it prints."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout  # noqa: S603
