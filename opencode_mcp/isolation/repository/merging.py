"""Three-way merges of trees, by git's own merge: it decides about texts, binary files, renames and modes.

Nothing is written but objects and, for the time of the merge, two refs: git writes the names of the sides into conflict
markers and into the names of files that it cannot keep apart otherwise, so the sides have names that can be read.
"""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.kept_commits import KEPT
from opencode_mcp.isolation.repository.trees import committed

CHECKOUT = "checkout"
WORKTREE = "worktree"
CONFLICT = "CONFLICT ("
SIDE = re.compile(rf"~{KEPT.removeprefix('refs/')}_[a-z0-9-]+_({CHECKOUT}|{WORKTREE})(_[0-9]+)?$")
"""Name of a side that git adds to a path."""
MARKER = b"<<<<<<< "
KINDS = {
    "contents": "both sides changed the same or neighbouring lines",
    "content": "both sides changed the same or neighbouring lines",
    "add/add": "both sides added it differently",
    "binary": "both sides changed a binary file",
    "modify/delete": "one side changed it, the other deleted it",
    "rename/delete": "one side renamed it, the other deleted it",
    "rename/rename": "both sides renamed it differently",
    "file/directory": "a file on one side, a folder on the other",
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """One file that could not be merged."""

    path: str
    """Path in the merged tree; git adds the name of a side if both sides need the same path."""
    kind: str = ""
    """Reason, in a few words; empty if git gives none."""

    @property
    def place(self) -> str:
        """Return the path that the sides need, without the name of one."""
        return SIDE.sub("", self.path)


@dataclass(frozen=True, slots=True)
class Merge:
    """Result of a merge of three trees."""

    tree: str
    """The merged tree; where there are conflicts, with conflict markers in the files."""
    conflicts: list[Conflict] = field(default_factory=list[Conflict])


async def merged_trees(git: Git, name: str, *, base: str, ours: str, theirs: str) -> Merge:
    """Merge the changes from ``base`` to ``theirs`` into ``ours``; all three are trees or commits.

    Args:
        git: Git for the repository.
        name: Name of the worktree, which the conflict markers name.
        base: The common beginning.
        ours: Files of the checkout.
        theirs: Files of the worktree.

    Raises:
        GitFailed: Git is older than 2.38, or cannot merge.
    """
    if tree := _one_sided(*await git.ids(*(f"{one}^{{tree}}" for one in (base, ours, theirs)))):
        return Merge(tree)
    # Git finds the base of a merge by the commits' parents.
    root = await committed(git, base, "base")
    sides = [await committed(git, tree, "side", root) for tree in (ours, theirs)]
    return await merged_commits(git, name, *sides)


def _one_sided(base: str = "", ours: str = "", theirs: str = "") -> str:
    """Return the merged tree if only one side has changes, or both have the same; otherwise nothing."""
    if base == ours:
        return theirs
    return ours if theirs in {base, ours} else ""


async def merged_commits(git: Git, name: str, ours: str, theirs: str) -> Merge:
    """Merge two commits with a common history; raises as ``merged_trees``."""
    async with _named(git, name, ours, theirs) as sides:
        code, printed, complaint = await git.attempt("merge-tree", "--write-tree", "--name-only", "-z", *sides)
    if code not in {0, 1}:
        raise await git.failure("git could not merge", complaint, hint="It must be git 2.38 or newer.")
    return _merge(iter(printed.decode(errors="surrogateescape").split("\0")))


@asynccontextmanager
async def _named(git: Git, name: str, ours: str, theirs: str) -> AsyncGenerator[list[str]]:
    """Give the two sides names for the length of the block."""
    prefix = f"{KEPT}/{name}"
    names = {f"{prefix}/{CHECKOUT}": ours, f"{prefix}/{WORKTREE}": theirs}
    await git.run("update-ref", "--stdin", text="".join(f"update {ref} {id_}\n" for ref, id_ in names.items()).encode())
    try:
        yield [ref.removeprefix("refs/") for ref in names]
    finally:
        with anyio.CancelScope(shield=True):
            await git.attempt("update-ref", "--stdin", text="".join(f"delete {ref}\n" for ref in names).encode())


def _merge(fields: Iterator[str]) -> Merge:
    """Read the output of ``merge-tree``: the tree, the files with conflicts, and messages, apart by an empty field."""
    tree = next(fields)
    paths: list[str] = []
    for path in fields:
        if not path:
            break
        paths.append(path)
    # Of several messages about a file, the first says most.
    kinds = dict(reversed([*_kinds(fields)]))
    return Merge(tree, [Conflict(path, kinds.get(path, "")) for path in dict.fromkeys(paths)])


def _kinds(fields: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield the files of each message about a conflict, with what it says."""
    for count in fields:
        if not count.strip().isdigit():
            return
        paths = [next(fields, "") for _ in range(int(count))]
        kind = next(fields, "")
        next(fields, "")  # The message itself, a sentence for people.
        if kind.startswith(CONFLICT):
            name = kind.removeprefix(CONFLICT).rstrip(")")
            yield from ((path, KINDS.get(name, name)) for path in paths)


async def has_markers(git: Git, tree: str, path: str) -> bool:
    """Return True if a file of a tree has conflict markers."""
    code, content, _ = await git.attempt("cat-file", "blob", f"{tree}:{path}")
    return code == 0 and any(line.startswith(MARKER) for line in content.splitlines())
