"""Git as a program, run so that it asks nobody, runs no hook and waits for nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from opencode_mcp.errors import GitFailed, InvalidSetting

FLAGS = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
TIMEOUT_SECONDS = 120.0
"""Time for one command; the checkout of a large repository takes longest."""
OPTIONS = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "commit.gpgSign=false",
    "-c",
    "advice.addEmbeddedRepo=false",
    "-c",
    "core.quotePath=false",
)
VARIABLES = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_EDITOR": "true"}
COMMITTER = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "opencode-mcp"), ("EMAIL", "opencode-mcp@localhost"))
}
"""Identity for the commits of this module's own, since the person may have configured none."""
FATAL = "fatal: "
ERROR = "error: "


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one folder.

    Args:
        program: Path of the executable.
        environment: Variables for it, without those by which a caller could redirect it.
        folder: Folder in which it works.
        identity: Variables that name the author of commits.
    """

    program: str
    environment: Mapping[str, str]
    folder: str
    identity: Mapping[str, str] = field(default_factory=lambda: COMMITTER)

    def within(self, folder: str) -> "Git":
        """Return the same git in another folder."""
        return replace(self, folder=folder)

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
            raise GitFailed(f"git {arguments[0]} failed: {_reason(complaint)}")
        return printed

    async def line(self, *arguments: str, index: Path | None = None) -> str:
        """Run a command and return the text that it printed, without the end of the line; raises as ``run``."""
        return (await self.run(*arguments, index=index)).decode(errors="surrogateescape").rstrip("\n")

    async def attempt(self, *arguments: str, index: Path | None = None, text: bytes = b"") -> tuple[int, bytes, str]:
        """Run a command that may fail; return its exit code, its output and its error text.

        Raises:
            GitFailed: It did not end in time, or cannot be started.
        """
        own = {"GIT_INDEX_FILE": str(index)} if index else {}
        command = [self.program, "-C", self.folder, *OPTIONS, *arguments]
        with anyio.move_on_after(TIMEOUT_SECONDS):
            try:
                done = await anyio.run_process(
                    command,
                    check=False,
                    input=text,
                    env={**self.environment, **VARIABLES, **self.identity, **own},
                    creationflags=FLAGS,
                )
            except OSError as error:
                raise GitFailed(f"git cannot be started: {error.strerror or error}.") from error
            return done.returncode, done.stdout, done.stderr.decode(errors="replace")
        raise GitFailed(f"git {arguments[0]} did not end within {TIMEOUT_SECONDS:.0f} s.")


def installed_git(environment: Mapping[str, str], folder: str) -> Git:
    """Return the git on the PATH.

    Args:
        environment: Variables of the bridge.
        folder: Folder in which it works.

    Raises:
        InvalidSetting: There is none.
    """
    # A relative entry would run whatever file of that name a project contains.
    folders = [text for text in environment.get("PATH", "").split(os.pathsep) if Path(text).is_absolute()]
    program = shutil.which("git", path=os.pathsep.join(folders)) if folders else None
    if program is None:
        raise InvalidSetting("There is no git on the PATH of this MCP server.", hint="Install git 2.38 or newer.")
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    return Git(program, kept, folder)


def _reason(complaint: str) -> str:
    """Return the line of git's error text that says most."""
    lines = [line.strip() for line in complaint.strip().splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith((FATAL, ERROR))), lines[-1] if lines else "no reason given")
    return first.removeprefix(FATAL).removeprefix(ERROR)
