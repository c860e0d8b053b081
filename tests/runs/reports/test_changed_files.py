"""Changed files of a run, where OpenCode is slow with its diff: faults that the real one shows only under load."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest

from opencode_mcp.errors import BackendUnavailable, NotFound
from opencode_mcp.opencode.v1.adapter import OpenCode1
from opencode_mcp.opencode.v2.adapter import OpenCode2
from opencode_mcp.opencode.vocabulary.features import Features
from opencode_mcp.opencode.vocabulary.session_filter import Page, SessionFilter
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.opencode.vocabulary.wire.message import Message
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session, SessionStatus
from opencode_mcp.runs.following.observation import Observation
from opencode_mcp.runs.outcome.run_report import ChangedFile, RunReport
from opencode_mcp.runs.reports import changed_files as module
from opencode_mcp.runs.reports.changed_files import changed_files
from opencode_mcp.runs.reports.other_sessions import MOST_PAGES, SESSIONS_A_PAGE, SESSIONS_READ

if TYPE_CHECKING:
    from opencode_mcp.opencode.client import OpenCodeClient

pytestmark = pytest.mark.anyio


class Diffs:
    """OpenCode with one session, whose diff grows with each read; the last diff stays."""

    def __init__(
        self,
        *diffs: Sequence[str],
        features: Features = OpenCode1.features,
        lists: bool = True,
        others: Sequence[Session] = (),
    ) -> None:
        self._others = list(others)
        self.diffs = list(diffs)
        self.reads = 0
        self._features = features
        self._lists = lists

    async def features(self) -> Features:
        """Return those of a generation."""
        return self._features

    async def session_diff(self, _session_id: str, _message_id: str) -> list[FileDiff]:
        """Return the next diff."""
        self.reads += 1
        return [FileDiff(file=file, additions=1) for file in self.diffs[min(self.reads, len(self.diffs)) - 1]]

    async def all_sessions(self, wanted: SessionFilter, _directory: str) -> Page[Session]:
        """Return the other sessions, or fail."""
        if not self._lists:
            raise BackendUnavailable("Nothing answers.")
        listed = [other for other in self._others if not wanted.before or other.time.updated < wanted.before]
        page = listed[: wanted.limit]
        return Page(page, f"{page[-1].time.updated:.0f}" if len(listed) > len(page) else "")

    async def session_messages(self, _session_id: str, **_query: object) -> Page[Message]:
        """Fail as for a session that was deleted after the list was made."""
        raise NotFound("Session not found")

    async def session_status(self, _directory: str) -> dict[str, SessionStatus]:
        """Return nothing."""
        return {}


def written(*files: str, tool: str = "write", differed: Sequence[str] = ()) -> Message:
    """A step that wrote files, and after which these and others differed."""
    calls: list[dict[str, Any]] = [
        {"type": "tool", "tool": tool, "state": {"status": "completed", "input": {"filePath": file}}} for file in files
    ]
    patch = {"type": "patch", "files": [f"/p/{file}" for file in (*files, *differed)]}
    info = {"id": "msg_2", "sessionID": "ses_1", "role": "assistant", "time": {"created": 1000, "completed": 2000}}
    return Message.read({"info": info, "parts": [*calls, patch]})


def removed(file: str) -> Message:
    """A later step whose command removed a file."""
    message = written(tool="bash", differed=[file])
    message.parts[:0] = written("x", tool="bash").parts[:1]
    message.info.time.created, message.info.time.completed = 3000, 4000
    return message


async def listed(client: Diffs, *answers: Message) -> list[ChangedFile]:
    report = RunReport(status="completed", session_id="ses_1", message_id="msg_1", directory="/p")
    seen = Observation(cast("OpenCodeClient", client))
    return await changed_files(report, seen, list(answers))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DIFF_SECONDS", "FIRST_DIFF_SECONDS"):
        monkeypatch.setattr(module, name, 0.05)


async def test_a_file_that_an_edit_names_is_waited_for_while_the_diff_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DIFF_SECONDS", 0)
    client = Diffs(["a.txt"], ["a.txt"], ["a.txt", "b.txt"])
    files = await listed(client, written("a.txt", "b.txt"))
    assert [(file.path, file.change) for file in files] == [("a.txt", "modified"), ("b.txt", "modified")]
    assert client.reads == 3


@pytest.mark.usefixtures("impatient")
async def test_a_file_whose_diff_does_not_come_is_listed_without_it_if_an_edit_names_it() -> None:
    files = await listed(Diffs(["a.txt"]), written("a.txt", "b.txt"))
    assert [(file.path, file.change) for file in files] == [("a.txt", "modified"), ("b.txt", "changed")]
    assert [file.path for file in await listed(Diffs(["a.txt"]), written("a.txt", differed=["b.txt"]))] == ["a.txt"]


async def test_the_diff_of_a_file_that_two_steps_changed_is_read_until_it_is_of_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST_DIFF_SECONDS", 0.05)
    client = Diffs(["a.txt"], ["a.txt"], [])
    assert await listed(client, written("b.txt", tool="bash", differed=["a.txt"]), removed("a.txt")) == []
    assert client.reads >= 3


@pytest.mark.usefixtures("impatient")
async def test_a_file_is_not_taken_for_another_one_whose_name_ends_in_the_same_way() -> None:
    files = await listed(Diffs(["a.txt"]), written("data.txt", "a.txt"))
    assert [(file.path, file.change) for file in files] == [("a.txt", "modified"), ("data.txt", "changed")]


@pytest.mark.usefixtures("impatient")
async def test_where_the_diff_is_complete_at_once_a_file_that_it_lacks_was_changed_back() -> None:
    files = await listed(Diffs(["a.txt"], features=OpenCode2.features), written("a.txt", "b.txt"))
    assert [file.path for file in files] == ["a.txt"]


async def test_a_run_without_a_call_that_can_write_lists_nothing_and_reads_no_diff() -> None:
    client = Diffs(["a.txt"])
    assert await listed(client, written("a.txt", tool="read")) == []
    assert client.reads == 0


async def test_if_the_other_sessions_cannot_be_read_a_file_that_no_call_names_has_no_known_author() -> None:
    files = await listed(Diffs(["a.txt", "b.txt"], lists=False), written("a.txt", differed=["b.txt"]))
    assert [(file.path, file.whose) for file in files] == [("a.txt", "this"), ("b.txt", "unknown")]


async def test_a_file_outside_of_the_project_is_listed_whether_or_not_the_project_changed() -> None:
    outside = written("/elsewhere/notes.txt")
    outside.parts = outside.parts[:1]
    files = await listed(Diffs(["a.txt"]), outside)
    assert [(file.path, file.outside) for file in files] == [("/elsewhere/notes.txt", True)]
    files = await listed(Diffs(["a.txt"]), written("a.txt"), outside)
    assert [(file.path, file.outside) for file in files] == [("a.txt", False), ("/elsewhere/notes.txt", True)]


def unrecorded(*files: str, snapshot: str = "") -> Message:
    """A step that wrote files, with the snapshot after it but no file that differed."""
    message = written(*files)
    end = {"type": "step-finish", "snapshot": snapshot}
    message.parts[-1:] = Message.read({"info": message.info.model_dump(), "parts": [end]}).parts
    return message


async def test_where_opencode_records_no_files_those_that_edits_name_are_listed() -> None:
    client = Diffs([])
    files = await listed(client, unrecorded("b.txt", "/p/a.txt", "/elsewhere/c.txt"))
    expected = [("a.txt", True, False), ("b.txt", True, False), ("/elsewhere/c.txt", False, True)]
    assert [(file.path, file.by_calls, file.outside) for file in files] == expected
    assert client.reads == 0, "there is no diff to wait for"
    assert await listed(client, unrecorded("a.txt", snapshot="4b82")) == [], "it was written as it was"


async def test_a_file_that_a_call_made_and_no_step_recorded_is_listed_also_beside_others() -> None:
    made = unrecorded("ignored.txt", snapshot="4b82")
    for part in made.parts:
        if isinstance(part, ToolPart):
            part.state.metadata["exists"] = False
    assert [(file.path, file.by_calls) for file in await listed(Diffs([]), made)] == [("ignored.txt", True)]
    files = await listed(Diffs(["a.txt"]), written("a.txt"), made)
    assert [(file.path, file.by_calls) for file in files] == [("a.txt", False), ("ignored.txt", True)]


async def test_a_session_that_was_deleted_meanwhile_is_no_possible_author() -> None:
    other = Session.read({"id": "ses_2", "directory": "/p", "time": {"created": 1, "updated": 1500}})
    command = written("x", tool="bash", differed=["b.txt"])
    command.parts = [*written("a.txt").parts[:1], *command.parts]
    files = await listed(Diffs(["a.txt", "b.txt"], others=[other]), command)
    assert [(file.path, file.whose) for file in files][:2] == [("a.txt", "this"), ("b.txt", "this")]


def sessions(number: int, changed: int) -> list[Session]:
    """Return some sessions, the latest changed first; the last one changed at a time."""
    times = [changed + left for left in reversed(range(number))]
    return [
        Session.read({"id": f"ses_at_{time}", "directory": "/p", "time": {"created": 1, "updated": time}})
        for time in times
    ]


class Crowded(Diffs):
    """OpenCode with more other sessions than are read, whose commands ended at some time."""

    def __init__(self, ended: int) -> None:
        super().__init__(["a.txt"], others=sessions(SESSIONS_READ + 10, changed=2))
        self._ended = ended

    async def session_messages(self, _session_id: str, **_query: object) -> Page[Message]:
        """Return the prompt and the answer of each."""
        answer = written("x", tool="bash")
        answer.info.time.created, answer.info.time.completed = 3, self._ended
        prompt = {"id": "msg_0", "sessionID": "ses_2", "role": "user", "time": {"created": 2}}
        return Page([Message.read({"info": prompt, "parts": []}), answer], "")


@pytest.mark.parametrize(("ended", "whose"), [(4, "this"), (1500, "unknown")])
async def test_sessions_that_ended_before_a_run_are_no_possible_authors_however_many_they_are(
    ended: int, whose: str
) -> None:
    command = written("x", tool="bash", differed=["a.txt"])
    files = await listed(Crowded(ended), command)
    assert [(file.path, file.whose) for file in files] == [("a.txt", whose)]


class Busy(Diffs):
    """OpenCode with other sessions that worked at the same time, of which the last one in the list wrote a file."""

    def __init__(self, number: int) -> None:
        super().__init__(["a.txt"], others=sessions(number, changed=1500))

    async def session_messages(self, session_id: str, **_query: object) -> Page[Message]:
        """Return the work of a session."""
        return Page([written("a.txt")] if session_id == "ses_at_1500" else [], "")


@pytest.mark.parametrize(("number", "whose"), [(SESSIONS_READ, "other"), (SESSIONS_A_PAGE * MOST_PAGES + 1, "unknown")])
async def test_the_author_is_found_among_many_sessions_that_work_at_the_same_time(number: int, whose: str) -> None:
    files = await listed(Busy(number), written("x", tool="bash", differed=["a.txt"]))
    assert [(file.path, file.whose) for file in files] == [("a.txt", whose)]


@pytest.mark.usefixtures("impatient")
async def test_a_file_above_the_directory_that_a_step_changed_is_not_outside() -> None:
    files = await listed(Diffs(["a.txt"]), written("../a.txt"))
    assert files
    assert not any(file.outside for file in files)
