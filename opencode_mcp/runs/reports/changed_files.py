"""Files that changed while a run worked, and whose changes they are.

OpenCode 1 makes the diff of a prompt step by step, after each step, and late on a busy machine. The messages say at
once which files differed after a step. A file that they name and the diff lacks is waited for, and if an edit names it,
it is reported without its diff if that does not come. A file that two steps changed may be shown as it was after the
first of them, so its diff is read until it changes or some time has passed.
"""

from collections.abc import Sequence

import anyio

from opencode_mcp.diffs.authorship import SessionWork, WriteCall
from opencode_mcp.diffs.diff_merge import merge_diffs
from opencode_mcp.diffs.named_files import absolute, possible_paths
from opencode_mcp.opencode.client import OpenCodeClient
from opencode_mcp.opencode.http_client.read_group import at_once
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.runs.outcome.reported_files import add_authors, list_files, list_missing, list_named, list_outside
from opencode_mcp.runs.outcome.run_report import ChangedFile, RunReport
from opencode_mcp.runs.reports.integrated_work import OtherWork, no_other_work
from opencode_mcp.runs.reports.other_sessions import read_authors, work_of_answers

DIFF_SECONDS = 0.6
"""Time to wait for the rest of a diff: OpenCode computes it some 25 ms after the session went idle."""
FIRST_DIFF_SECONDS = 3.0
"""Time to wait while the diff is empty, or lacks a file that an edit of the run names; a busy machine needs long.

A run without net changes waits it out.
"""
DIFF_PAUSE_SECONDS = 0.02


async def changed_files(
    report: RunReport, seen: Observation, answers: list[Message], other_work: OtherWork = no_other_work
) -> list[ChangedFile]:
    """Read which files changed (``session.diff``), and who else worked in the directory at that time.

    Args:
        report: Names the run.
        seen: The run as it was seen last.
        answers: The assistant's messages of the run.
        other_work: Reads what was changed without a session of the directory.

    Returns:
        The files; none if no tool call of the run can have changed one. Those outside of the project are the last.

    Raises:
        BackendError: The diff could not be read.
    """
    session = Session(id=report.session_id, title=report.title, directory=report.directory)
    work = work_of_answers(answers, session, report.message_id)
    if not work.is_recorded:
        return await _named_files(seen.client, session, work, other_work)
    if not work.files or not (work.calls or work.subagents):
        return _unrecorded(work, session)
    grows = (await seen.client.features()).diffs_grow
    named = work.named & work.files
    repeated = _changed_twice(work) if grows else frozenset[str]()
    async with at_once() as reads:
        reading_diffs = reads.start(_diffs, report, seen, work.files, named, repeated)
        reading_authors = reads.start(read_authors, seen.client, session, work, work.period, other_work)
    authors = reading_authors.value
    if not authors.own:
        return []
    diffs = reading_diffs.value
    files = list_files(diffs, report.directory)
    if grows:
        files += list_missing(_missing(named, diffs, report.directory), report.directory)
    add_authors(files, authors)
    own = list_named(_within(work.unrecorded, report.directory), report.directory)
    return files + own + list_outside(_outside(authors.own, work.files, report.directory))


def _unrecorded(work: SessionWork, session: Session) -> list[ChangedFile]:
    """Return the files that a run changed, where OpenCode recorded no difference at all."""
    named = list_named(_within(work.unrecorded, session.directory), session.directory)
    return named + list_outside(_outside(work.calls, work.files, session.directory))


def _within(paths: frozenset[str], directory: str) -> set[str]:
    """Return the absolute paths that are in a directory."""
    return {path for path in paths if path.startswith(absolute(".", directory) + "/")}


async def _named_files(
    client: OpenCodeClient, session: Session, work: SessionWork, other_work: OtherWork
) -> list[ChangedFile]:
    """Return the files that the editing calls of a run name, where OpenCode records no files."""
    if not work.named and not work.subagents:
        return []
    authors = await read_authors(client, session, work, work.period, other_work)
    outside = _outside(authors.own, frozenset(), session.directory)
    files = list_named({path for call in authors.own for path in call.files} - outside, session.directory)
    add_authors(files, authors)
    return files + list_outside(outside)


def _outside(calls: Sequence[WriteCall], differed: frozenset[str], directory: str) -> set[str]:
    """Return the absolute paths of the files that edits name, and that OpenCode does not compare.

    Args:
        calls: Calls of the run.
        differed: Absolute paths of the files that a step changed; some are above a directory in a git repository.
        directory: Directory of the run.
    """
    named = {path for call in calls for path in call.files} - differed
    return {path for path in named if not path.startswith(absolute(".", directory) + "/")}


def _changed_twice(work: SessionWork) -> frozenset[str]:
    """Return the files that the last step with changes and an earlier one changed."""
    steps = sorted(work.reported, key=lambda step: step.period.end)
    earlier = frozenset(path for step in steps[:-1] for path in step.files)
    return steps[-1].files & earlier if steps else earlier


async def _diffs(
    report: RunReport, seen: Observation, changed: frozenset[str], named: frozenset[str], repeated: frozenset[str]
) -> list[FileDiff]:
    """Read the run's diff until it holds every changed file; one that was changed back never comes.

    Args:
        report: Names the run.
        seen: The run as it was seen last.
        changed: Absolute paths of the files that a step changed.
        named: Those that an edit names.
        repeated: Those whose diff may still be that of an earlier step.
    """
    began = anyio.current_time()
    first: list[FileDiff] | None = None
    while True:
        found = await _diffs_so_far(report, seen)
        waited = anyio.current_time() - began
        now = [diff for diff in found if possible_paths(diff.file, report.directory) & repeated]
        first = now if first is None else first
        missing = _missing(changed, found, report.directory)
        if waited >= _diff_timeout(found, missing & named, is_whole=not missing, is_early=bool(now) and now == first):
            return found
        # Long waits are rare, and need no quick look.
        await anyio.sleep(max(DIFF_PAUSE_SECONDS, waited / 10))


def _diff_timeout(found: list[FileDiff], named: frozenset[str], *, is_whole: bool, is_early: bool) -> float:
    """Return the seconds to wait for a better diff, from the first read on."""
    if is_whole:
        return DIFF_SECONDS if is_early else 0
    return FIRST_DIFF_SECONDS if named or not found else DIFF_SECONDS


async def _diffs_so_far(report: RunReport, seen: Observation) -> list[FileDiff]:
    prompts = [*(seen.prompts or [report.message_id]), *([seen.correction.message_id] if seen.correction else [])]
    found = [await seen.client.session_diff(report.session_id, prompt) for prompt in prompts]
    return merge_diffs(found) if len(found) > 1 else found[0]


def _missing(paths: frozenset[str], diffs: list[FileDiff], directory: str) -> frozenset[str]:
    """Return the absolute paths of which a diff has nothing."""
    shown = [possible_paths(diff.file, directory) for diff in diffs]
    return paths.difference(*shown)
