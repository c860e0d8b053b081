"""Flags by which git does not look at files: ``assume-unchanged``, and ``skip-worktree``, also of a sparse checkout.

An agent can set both, on files that it has changed, too. So a scratch index has neither on a file that exists. An entry
with ``skip-worktree`` whose file does not exist keeps the flag: it is not checked out, which is no deletion.
"""

from dataclasses import replace
from pathlib import Path

from anyio import to_thread

from opencode_mcp.isolation.repository.git import Git

SKIPPED = frozenset("Ss")
"""Tags of entries with ``skip-worktree``, as ``ls-files -v`` prints them."""


def without_patterns(git: Git) -> Git:
    """Return a git that adds and writes files also outside of the patterns of a sparse checkout."""
    return replace(git, settings={**git.settings, "core.sparseCheckout": "false"})


async def clear_flags(git: Git, index: Path) -> list[str]:
    """Take the flags away from the entries of a scratch index whose files exist, so that git reads the files.

    Returns:
        The entries, as ``ls-files --stage`` prints them.

    Raises:
        GitFailed: Git cannot write the index.
    """
    # With the patterns, git reports no flag on a file that exists, and leaves it in the index.
    git = without_patterns(git)
    tagged = await git.paths("ls-files", "-v", "--stage", "-z", index=index)
    assumed = [path_of(entry) for entry in tagged if entry[0].islower()]
    skipped = [path_of(entry) for entry in tagged if entry[0] in SKIPPED]
    present = await to_thread.run_sync(_existing, git.work_tree, skipped) if skipped else []
    await _clear(git, index, "--no-assume-unchanged", assumed)
    await _clear(git, index, "--no-skip-worktree", present)
    return [entry[2:] for entry in tagged]


async def not_checked_out(git: Git, index: Path | None = None) -> frozenset[str]:
    """Return the files that an index says are not checked out; none: the checkout's own index.

    Raises:
        GitFailed: Git cannot read the index.
    """
    tagged = await git.paths("ls-files", "-t", "-z", index=index)
    return frozenset(entry[2:] for entry in tagged if entry[0] in SKIPPED)


def path_of(entry: str) -> str:
    """Return the path of an entry, as ``ls-files --stage`` prints it."""
    return entry.partition("\t")[2]


async def _clear(git: Git, index: Path, option: str, paths: list[str]) -> None:
    if paths:
        text = "".join(f"{path}\0" for path in paths).encode(errors="surrogateescape")
        await git.run("update-index", option, "-z", "--stdin", index=index, text=text)


def _existing(top: Path, paths: list[str]) -> list[str]:
    return [path for path in paths if (top / path).is_symlink() or (top / path).exists()]
