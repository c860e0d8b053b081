"""A client of the released contract reads and changes what runs have left, through the proxy."""

from pathlib import Path
from typing import Any

import pytest
from opencode import AsyncOpencode
from opencode.types import SessionMessageIdle

from tests.harness.opencode2.contract.unknown_fields import unknown_fields
from tests.harness.opencode2.driving import LIMIT, kinds, prompt, prompt_of
from tests.harness.opencode2.running import OpenCode2
from tests.scripted_model.opencode2 import shell, write
from tests.scripted_model.script import reasoning, script, step, text

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


@pytest.fixture(scope="module")
async def written(opencode2: OpenCode2, shared_project: Path) -> str:
    """The id of a session whose one prompt wrote two files; no test changes it."""
    async with AsyncOpencode(opencode2.url, password=opencode2.password, directory=shared_project) as client:
        steps = (step(reasoning("Two files."), write("made/a.txt", "one\n")), shell("echo two > made/b.txt"))
        result = await client.session.run(script(*steps, text("Written.")), timeout=LIMIT)
        assert result.text == "Written."
        return result.session.id


async def test_a_diff_has_the_files_of_the_turn(client: AsyncOpencode, written: str) -> None:
    first = await prompt_of(client, written)
    diff = await client.session.diff(written, from_=first)
    assert {(file.file, file.additions, file.deletions, file.status) for file in diff} == {
        ("made/a.txt", 1, 0, "added"),
        ("made/b.txt", 1, 0, "added"),
    }
    assert all("+" in file.patch for file in diff)
    assert unknown_fields(diff) == []


async def test_messages_come_in_pages_and_by_type(client: AsyncOpencode, written: str) -> None:
    every = [str(message.id) async for message in client.message.list(written, order="asc")]
    paged = [message.id async for message in client.message.list(written, order="asc", limit=2)]
    newest = [message.id async for message in client.message.list(written, limit=3)]
    assert await kinds(client, written) == ["user", "assistant", "assistant", "assistant", "idle"]
    assert paged == every
    assert newest == every[::-1]
    assert [message.type async for message in client.message.list(written, type="assistant")] == ["assistant"] * 3
    idle = await client.session.message.get(written, every[-1])
    assert isinstance(idle, SessionMessageIdle)
    assert idle.outcome == "succeeded"


async def test_the_log_replays_what_was_received(client: AsyncOpencode, written: str) -> None:
    items: list[Any] = [item async for item in await client.session.log(written)]
    numbers = [item.durable.seq for item in items[:-1]]
    assert unknown_fields(items) == []
    assert items[-1].type == "log.synced"
    assert numbers == list(range(1, len(numbers) + 1))
    assert "session.inbox.delivered" in [item.type for item in items]
    rest = [item async for item in await client.session.log(written, after=numbers[-2])]
    assert [item.type for item in rest] == [items[-2].type, "log.synced"]


async def test_a_fork_has_what_was_before_the_message(client: AsyncOpencode, written: str) -> None:
    third = [str(message.id) async for message in client.message.list(written, order="asc")][2]
    fork = await client.session.fork(written, before=third)
    assert fork.fork
    assert (fork.fork.session_id, fork.fork.boundary.type) == (written, "before")
    assert await kinds(client, fork.id) == ["user", "assistant"]
    assert unknown_fields(fork) == []


async def test_a_staged_revert_takes_the_files_away_and_clearing_it_brings_them_back(
    client: AsyncOpencode, shared_project: Path
) -> None:
    session = await prompt(client, script(write("reverted.txt", "here\n"), text("Written.")))
    await client.session.wait(session)
    first = await prompt_of(client, session)
    staged = await client.session.revert.stage(session, message_id=first, files=True)
    assert [file.file for file in staged.files or []] == ["reverted.txt"]
    assert not (shared_project / "reverted.txt").exists()
    info = await client.session.get(session)
    assert info.revert
    assert unknown_fields([staged, info]) == []
    await client.session.revert.clear(session)
    assert (shared_project / "reverted.txt").exists()


async def test_sessions_are_renamed_archived_listed_and_removed(client: AsyncOpencode) -> None:
    session = (await client.session.create(title="First", metadata={"by": "a test"})).id
    await client.session.update(session, title="Second")
    found = (await client.session.list(search="Second")).data
    assert [(info.id, info.title, info.metadata) for info in found] == [(session, "Second", {"by": "a test"})]
    assert unknown_fields(found) == []
    await client.session.update(session, archived=True)
    assert (await client.session.list(search="Second")).data == []
    assert [info.id for info in (await client.session.list(search="Second", archived=True)).data] == [session]
    await client.session.remove(session)
    assert (await client.session.list(search="Second", archived=True)).data == []
