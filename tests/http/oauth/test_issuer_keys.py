"""Keys of the issuer over time: rotation, limits of requests, and an issuer that fails."""

from collections.abc import AsyncIterator
from contextlib import suppress

import anyio
import pytest

from opencode_mcp.errors import IssuerFailed
from opencode_mcp.http.oauth import issuer_keys
from opencode_mcp.http.oauth.issuer_keys import IssuerKeys
from opencode_mcp.http.oauth.key_set import KeySet, key_set_of
from tests.harness.servers.issuer import public_entry
from tests.harness.waiting import eventually

pytestmark = pytest.mark.anyio

FIRST, SECOND = "ES256-1", "ES256-2"


class Source:
    """Replies of the issuer."""

    def __init__(self) -> None:
        self.names = [FIRST]
        self.fails = False
        self.asked = 0
        self.answers = anyio.Event()
        self.answers.set()

    async def fetch(self) -> KeySet:
        """Answer as the issuer does now."""
        self.asked += 1
        await self.answers.wait()
        if self.fails:
            raise IssuerFailed("It is down.")
        return key_set_of({"keys": [public_entry(name) for name in self.names]})


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def keys(source: Source) -> AsyncIterator[IssuerKeys]:
    async with anyio.create_task_group() as tasks:
        yield IssuerKeys(source.fetch, tasks)
        tasks.cancel_scope.cancel()


async def test_keys_are_fetched_once_and_kept(keys: IssuerKeys, source: Source) -> None:
    for _ in range(3):
        assert await keys.find(FIRST, "ES256")
    assert source.asked == 1


async def test_a_new_key_is_found_and_one_that_was_withdrawn_is_not(keys: IssuerKeys, source: Source) -> None:
    assert await keys.find(FIRST, "ES256")
    source.names = [SECOND]
    assert await keys.find(SECOND, "ES256")
    assert await keys.find(FIRST, "ES256") is None


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuer_keys, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the allowance of requests to the issuer be one, and the next one far away."""
    monkeypatch.setattr(issuer_keys, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(issuer_keys, "PAUSE_SECONDS", 3600.0)


async def test_unknown_keys_do_not_make_the_bridge_ask_again_and_again(keys: IssuerKeys, source: Source) -> None:
    assert await keys.find(FIRST, "ES256")
    for number in range(issuer_keys.MOST_AT_ONCE - 1):
        assert await keys.find(f"unknown-{number}", "ES256") is None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keys.find, "unknown", "ES256")
        await anyio.wait_all_tasks_blocked()
        assert source.asked == issuer_keys.MOST_AT_ONCE
        assert await keys.find(FIRST, "ES256")
        tasks.cancel_scope.cancel()


async def test_a_new_key_is_found_during_a_flood_of_unknown_ones(
    keys: IssuerKeys, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "PAUSE_SECONDS", 0.05)
    assert await keys.find(FIRST, "ES256")

    async def flood() -> None:
        with suppress(IssuerFailed):
            await keys.find("unknown", "ES256")

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            for _ in range(issuer_keys.MOST_WAITING - 1):
                tasks.start_soon(flood)
            await anyio.wait_all_tasks_blocked()
            source.names = [*source.names, SECOND]
            assert await keys.find(SECOND, "ES256")
    assert source.asked <= issuer_keys.MOST_AT_ONCE


@pytest.mark.usefixtures("long_pause")
async def test_of_too_many_tokens_with_unknown_keys_some_are_not_checked(
    keys: IssuerKeys, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "MOST_WAITING", 2)
    assert await keys.find(FIRST, "ES256")
    async with anyio.create_task_group() as tasks:
        for _ in range(issuer_keys.MOST_WAITING):
            tasks.start_soon(keys.find, "unknown", "ES256")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(IssuerFailed):
            await keys.find(SECOND, "ES256")
        assert await keys.find(FIRST, "ES256")
        tasks.cancel_scope.cancel()
    assert source.asked == 1


@pytest.mark.usefixtures("no_pause")
async def test_whether_a_key_is_new_is_not_known_while_the_issuer_is_down(keys: IssuerKeys, source: Source) -> None:
    assert await keys.find(FIRST, "ES256")
    source.fails = True
    with pytest.raises(IssuerFailed):
        await keys.find(SECOND, "ES256")
    assert await keys.find(FIRST, "ES256")
    source.fails, source.names = False, [FIRST, SECOND]
    assert await keys.find(SECOND, "ES256")


@pytest.mark.usefixtures("long_pause")
async def test_nobody_waits_for_an_issuer_that_was_down(keys: IssuerKeys, source: Source) -> None:
    source.fails = True
    for _ in range(3):
        with pytest.raises(IssuerFailed), anyio.fail_after(5):
            await keys.find(FIRST, "ES256")
    assert source.asked == 1


async def test_many_callers_wait_for_one_request(keys: IssuerKeys, source: Source) -> None:
    source.answers = anyio.Event()
    found: list[object] = []

    async def find() -> None:
        found.append(await keys.find(FIRST, "ES256"))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(find)
        await anyio.wait_all_tasks_blocked()
        source.answers.set()
    assert len(found) == 20
    assert all(found)
    assert source.asked == 1


async def test_an_issuer_that_is_down_at_first_is_asked_again(keys: IssuerKeys, source: Source) -> None:
    source.fails = True
    for _ in range(2):
        with pytest.raises(IssuerFailed):
            await keys.find(FIRST, "ES256")
    assert source.asked == 2
    source.fails = False
    assert await keys.find(FIRST, "ES256")


async def test_old_keys_are_used_while_new_ones_are_fetched_or_the_issuer_is_down(
    keys: IssuerKeys, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await keys.find(FIRST, "ES256")
    monkeypatch.setattr(issuer_keys, "FRESH_SECONDS", 0.0)
    source.fails, source.answers = True, anyio.Event()
    with anyio.fail_after(5):
        assert await keys.find(FIRST, "ES256")
    source.answers.set()

    async def asked_again() -> bool:
        return source.asked > 1

    await eventually(asked_again)
    assert await keys.find(FIRST, "ES256")


async def test_keys_that_are_too_old_are_not_used(
    keys: IssuerKeys, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await keys.find(FIRST, "ES256")
    monkeypatch.setattr(issuer_keys, "KEPT_SECONDS", 0.0)
    source.fails = True
    with pytest.raises(IssuerFailed):
        await keys.find(FIRST, "ES256")
