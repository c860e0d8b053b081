"""Git as a program that starts no other program, reads one given repository, and waits for nothing.

A repository is named by its git directory, as the bridge has recorded it before an agent worked there. Git never
searches for one in a worktree: an agent can write a file ``.git`` there that names a repository of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
from anyio import to_thread

from opencode_mcp.disk.full_disk import space_hint
from opencode_mcp.errors import GitFailed, InvalidSetting
from opencode_mcp.isolation.repository.disabled_programs import (
    FIXED,
    NAMED_PROGRAMS,
    as_variables,
    filter_names,
    replaced_programs,
)
from opencode_mcp.processes.fed_program import run_fed
from opencode_mcp.processes.git_environment import git_environment
from opencode_mcp.processes.search_path import find_git
from opencode_mcp.text.name_lists import listed

TIMEOUT_SECONDS = 120.0
"""Time for one command; the checkout of a large repository takes longest."""
COMMITTER = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "opencode-mcp"), ("EMAIL", "opencode-mcp@localhost"))
}
"""Identity for the commits of this module's own, since the person may have configured none."""
PREFIXES = ("fatal: ", "error: ")
NAMES_SHOWN = 10
"""Files that a message of git names."""
COMMIT = re.compile("[0-9a-f]+")
LOCK = "index.lock"
LOCK_HINT = (
    "A git that is at work in this folder holds the lock, or one that was killed has left it. Wait a moment and call "
    "again. If the lock is still there and nothing uses git in the folder (terminal, editor, running session), remove "
    "only this file, and call again: what was begun is then taken back."
)
CHANGED_HINT = "Something else has changed the checkout at the same time. Call again."
HINTS = {LOCK: LOCK_HINT, "not uptodate": CHANGED_HINT, "Not possible to fast-forward": CHANGED_HINT}
"""Hints by a part of git's error text."""


@dataclass(frozen=True, slots=True)
class Repository:
    """Git directory and the folder of files that belongs to it.

    Args:
        git_dir: Absolute path of the git directory; empty: git searches for it from ``work_tree``.
        work_tree: Absolute path of the top folder of the files.
        common_dir: Absolute path of the git directory that the worktrees share, which wins over what a file in
            ``git_dir`` says; empty: as git finds it.
    """

    git_dir: str
    work_tree: str
    common_dir: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """Return git's options that name both."""
        return (f"--git-dir={self.git_dir}", f"--work-tree={self.work_tree}") if self.git_dir else ()


@dataclass(frozen=True, slots=True)
class Git:
    """Git for one repository.

    Args:
        program: Path of the executable.
        environment: Its whole environment.
        repository: The repository.
        settings: Settings that win over those of the repository and of the person.
        filters: Names of the configured filters, all of which are off.
        identity: Variables that name the author of commits.
        inherited: Open file descriptors that git inherits.
    """

    program: str
    environment: Mapping[str, str]
    repository: Repository
    settings: Mapping[str, str] = field(default_factory=lambda: FIXED)
    filters: frozenset[str] = frozenset()
    identity: Mapping[str, str] = field(default_factory=lambda: COMMITTER)
    inherited: tuple[int, ...] = ()

    @property
    def git_dir(self) -> Path:
        """Return the git directory."""
        return Path(self.repository.git_dir)

    @property
    def work_tree(self) -> Path:
        """Return the top folder of the files."""
        return Path(self.repository.work_tree)

    async def at(self, repository: Repository) -> "Git":
        """Return git for another repository, with every program that its configuration names replaced.

        Raises:
            GitFailed: There is no such repository.
        """
        fresh = replace(self, repository=repository, settings=FIXED)
        code, printed, complaint = await fresh.attempt("config", "-z", "--name-only", "--get-regexp", NAMED_PROGRAMS)
        if code not in {0, 1}:
            raise GitFailed(f"git cannot read the repository {repository.git_dir}: {reason(complaint)}")
        names = [name for name in printed.decode(errors="surrogateescape").split("\0") if name]
        settings = {**FIXED, **replaced_programs(names, self.program)}
        return replace(fresh, settings=settings, filters=filter_names(names))

    async def as_person(self) -> "Git":
        """Return the same git with the identity that the person has configured, if there is one."""
        code, _, _ = await self.attempt("config", "--get", "user.email")
        return self if code else replace(self, identity={})

    async def run(self, *arguments: str, index: Path | None = None, text: bytes = b"") -> bytes:
        """Run a command and return what it printed.

        Args:
            arguments: The command and its arguments.
            index: Index file to use in place of the checkout's.
            text: Standard input.

        Raises:
            GitFailed: Git refused, or did not end in time.
        """
        code, printed, complaint = await self.attempt(*arguments, index=index, text=text)
        if code:
            raise await self.failure(f"git {arguments[0]} failed", complaint)
        return printed

    async def failure(self, what: str, complaint: str, hint: str = "") -> GitFailed:
        """Return the error for a command that failed.

        Args:
            what: What failed, as the beginning of a sentence.
            complaint: Git's error text.
            hint: Remedy if the error text shows no other.
        """
        known = next((hint for part, hint in HINTS.items() if part in complaint), hint)
        places = (self.repository.work_tree, self.repository.git_dir)
        space = await to_thread.run_sync(space_hint, complaint, places)
        return GitFailed(f"{what}: {reason(complaint)}", hint=space or known)

    async def line(self, *arguments: str, index: Path | None = None, text: bytes = b"") -> str:
        """Run a command and return the text that it printed, without the end of the line; raises as ``run``."""
        printed = await self.run(*arguments, index=index, text=text)
        return printed.decode(errors="surrogateescape").rstrip("\n")

    async def paths(self, *arguments: str, index: Path | None = None, text: bytes = b"") -> list[str]:
        """Run a command that prints texts with a NUL after each, and return them; raises as ``run``."""
        printed = await self.run(*arguments, index=index, text=text)
        return [path for path in printed.decode(errors="surrogateescape").split("\0") if path]

    async def commit_of(self, name: str) -> str:
        """Return the id of the commit that a name means; empty if there is none."""
        code, commit, _ = await self.attempt(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        # A name such as ^HEAD excludes a commit: git prints that with the same mark.
        found = commit.decode(errors="replace").strip()
        return found if code == 0 and COMMIT.fullmatch(found) else ""

    async def ids(self, *names: str) -> list[str]:
        """Return the ids of the objects that names mean; none if one of them means no object."""
        code, printed, _ = await self.attempt("rev-parse", *names)
        ids = printed.decode(errors="replace").split()
        return ids if code == 0 and len(ids) == len(names) else []

    async def attempt(self, *arguments: str, index: Path | None = None, text: bytes = b"") -> tuple[int, bytes, str]:
        """Run a command that may fail; return its exit code, its output and its error text.

        Raises:
            GitFailed: It did not end in time, or cannot be started.
        """
        own = {"GIT_INDEX_FILE": str(index)} if index else {}
        own |= {"GIT_COMMON_DIR": self.repository.common_dir} if self.repository.common_dir else {}
        command = [self.program, *self.repository.options, *arguments]
        environment = {**self.environment, **as_variables(self.settings), **self.identity, **own}
        with anyio.move_on_after(TIMEOUT_SECONDS):
            try:
                done = await run_fed(
                    command,
                    text,
                    environment=environment,
                    folder=self.repository.work_tree,
                    inherited=self.inherited,
                )
            except OSError as error:
                if not await anyio.Path(self.repository.work_tree).is_dir():
                    raise GitFailed(f"The folder {self.repository.work_tree} does not exist any more.") from error
                raise GitFailed(
                    f"git cannot be started in {self.repository.work_tree}: {error.strerror or error}."
                ) from error
            return done.returncode, done.stdout, done.stderr.decode(errors="replace")
        raise GitFailed(f"git {arguments[0]} did not end within {TIMEOUT_SECONDS:.0f} s.")


def installed_git(environment: Mapping[str, str], folder: str) -> Git:
    """Return the git on the PATH, which searches for the repository of a folder.

    Args:
        environment: Variables of the bridge.
        folder: Folder in which it works.

    Raises:
        InvalidSetting: There is none.
    """
    program = find_git(environment)
    if program is None:
        raise InvalidSetting("There is no git on the PATH of this MCP server.", hint="Install git 2.38 or newer.")
    return Git(program, git_environment(environment), Repository("", folder))


def reason(complaint: str) -> str:
    """Return the sentence of git's error text that says most, with the files that it lists."""
    lines = [line for line in complaint.splitlines() if line.strip()]
    first = next((number for number, line in enumerate(lines) if line.startswith(PREFIXES)), len(lines) - 1)
    if first < 0:
        return "it gives no reason."
    sentence = lines[first].strip()
    for prefix in PREFIXES:
        sentence = sentence.removeprefix(prefix)
    if not sentence.endswith(":"):
        return sentence
    return f"{sentence} {listed(_indented_lines(lines[first + 1 :]), NAMES_SHOWN)}"


def _indented_lines(lines: list[str]) -> list[str]:
    """Return the lines up to the first that is not indented."""
    names: list[str] = []
    for line in lines:
        if not line[0].isspace():
            break
        names.append(line.strip())
    return names
