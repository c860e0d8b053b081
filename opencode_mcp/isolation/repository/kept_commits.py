"""Commits that are kept from git's garbage collection, by refs of the worktree's name.

- ``integrated``: the work that the checkout has already got. The next changes are also compared with it.
- ``applied``: the last ``apply``, with what ``undo`` needs. Its tree holds the files of the checkout after it; its
  parents are the files before it, the work, and the ``apply`` before it, if there is one.
- ``unfinished``: a commit that is being brought to the branch of the checkout. Its parents are that commit and
  the work.
- ``discarded``: the work that a ``discard`` dropped, by a tag with the time of that, after which it is kept for
  ``DISCARDED_DAYS``.
"""

import time
from dataclasses import dataclass

from opencode_mcp.errors import GitFailed
from opencode_mcp.isolation.repository.git import Git
from opencode_mcp.isolation.repository.trees import committed

KEPT = "refs/opencode-mcp"
INTEGRATED = "integrated"
APPLIED = "applied"
UNFINISHED = "unfinished"
DISCARDED = "discarded"
DISCARDED_DAYS = 30
DAY_SECONDS = 86_400
TAG = """object {commit}
type commit
tag {name}
tagger opencode-mcp <opencode-mcp@localhost> {time:.0f} +0000

Discarded work
"""


@dataclass(frozen=True, slots=True)
class AppliedWork:
    """One ``apply`` that can be undone."""

    before: str
    """Files of the checkout before it, as a tree or a commit."""
    after: str
    earlier: str
    """The ``apply`` before it; empty if it was the first."""


def ref_of(worktree: str, name: str) -> str:
    """Return the ref of a commit that is kept for a worktree."""
    return f"{KEPT}/{worktree}/{name}"


async def kept(git: Git, worktree: str, name: str) -> str:
    """Return a commit that is kept; empty if there is none."""
    return await git.commit_of(ref_of(worktree, name))


async def keep(git: Git, worktree: str, name: str, commit: str) -> None:
    """Keep a commit in place of the one before; an empty one only drops that."""
    ref = ref_of(worktree, name)
    if commit:
        await git.run("update-ref", ref, commit)
    else:
        await git.attempt("update-ref", "-d", ref)


async def keep_discarded(git: Git, worktree: str, commit: str) -> None:
    """Keep the work that is being discarded, and forget what was discarded long ago in the same repository.

    Raises:
        GitFailed: Git cannot keep it.
    """
    text = TAG.format(commit=commit, name=f"{worktree}-{DISCARDED}", time=time.time()).encode()
    await keep(git, worktree, DISCARDED, await git.line("mktag", text=text))
    if await kept(git, worktree, DISCARDED) != commit:
        raise GitFailed(f"git cannot read the work again that it was to keep as {ref_of(worktree, DISCARDED)}.")
    await forget_old(git)


async def forget_old(git: Git) -> None:
    """Forget the work that was discarded more than ``DISCARDED_DAYS`` ago in git's repository."""
    code, printed, _ = await git.attempt("for-each-ref", "--format=%(creatordate:unix) %(refname)", KEPT)
    oldest = time.time() - DISCARDED_DAYS * DAY_SECONDS
    for line in printed.decode(errors="surrogateescape").splitlines() if code == 0 else ():
        made, _, ref = line.partition(" ")
        if ref.endswith(f"/{DISCARDED}") and made.isdecimal() and int(made) < oldest:
            await git.attempt("update-ref", "-d", ref)


async def note_integrated(git: Git, worktree: str, work: str) -> None:
    """Note the work that the checkout has got. If git fails, later calls compare with the base alone."""
    await git.attempt("update-ref", ref_of(worktree, INTEGRATED), work)


async def forget_all(git: Git, worktree: str, *, but: str = "") -> None:
    """Keep nothing of a worktree any more, except one of the commits if that is named."""
    for name in (INTEGRATED, APPLIED, UNFINISHED, DISCARDED):
        if name != but:
            await keep(git, worktree, name, "")


async def record_apply(git: Git, worktree: str, done: AppliedWork, work: str) -> None:
    """Record an ``apply`` of some work, whose trees become commits."""
    parents = [await committed(git, done.before, "Before"), work, *([done.earlier] if done.earlier else [])]
    await keep(git, worktree, APPLIED, await committed(git, done.after, "Applied", *parents))


async def last_apply(git: Git, worktree: str) -> AppliedWork | None:
    """Return the last ``apply`` that was not undone."""
    return await recorded_apply(git, ref_of(worktree, APPLIED))


async def recorded_apply(git: Git, name: str) -> AppliedWork | None:
    """Return the ``apply`` whose record has a name; ``None`` if there is none."""
    if not name:
        return None
    code, printed, _ = await git.attempt("rev-list", "--no-walk", "--parents", name)
    if code:
        return None
    after, before, _, *earlier = printed.decode().split()
    return AppliedWork(before, after, "".join(earlier))


async def forget_apply(git: Git, worktree: str, done: AppliedWork) -> None:
    """Forget an ``apply`` that was undone; the one before it is the last again."""
    await keep(git, worktree, APPLIED, done.earlier)
    work = await git.commit_of(f"{done.earlier}^2") if done.earlier else ""
    await keep(git, worktree, INTEGRATED, work)
