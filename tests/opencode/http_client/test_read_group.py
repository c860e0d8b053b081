"""Several reads at once: all their values, or the first failure as it was raised; or each by itself."""

from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import pytest

from opencode_mcp.errors import BackendTimeout, NotFound
from opencode_mcp.opencode.http_client.read_group import at_once, read_each

pytestmark = pytest.mark.anyio


async def give(value: str, *, after: anyio.Event | None = None) -> str:
    if after:
        await after.wait()
    return value


async def fail(error: Exception) -> str:
    raise error


async def test_every_read_gives_its_own_value() -> None:
    async with at_once() as reads:
        first, second = reads.start(give, "one"), reads.start(give, "two")
    assert (first.value, second.value) == ("one", "two")


async def test_reads_do_not_wait_for_one_another() -> None:
    turn = anyio.Event()

    async def release() -> None:
        turn.set()

    with anyio.fail_after(5):
        async with at_once() as reads:
            waiting = reads.start(give, "late", after=turn)
            reads.start(release)
    assert waiting.value == "late"


async def read_all(*each: Callable[[], Awaitable[str]]) -> None:
    with anyio.fail_after(5):
        async with at_once() as reads:
            for read in each:
                reads.start(read)


async def test_a_failure_leaves_as_itself_and_ends_the_others() -> None:
    error = NotFound("Nothing there.")
    with pytest.raises(NotFound) as caught:
        await read_all(partial(give, "never", after=anyio.Event()), partial(fail, error))
    assert caught.value is error


async def test_of_several_failures_the_first_is_reported() -> None:
    with pytest.raises(NotFound):
        await read_all(partial(fail, NotFound("Nothing there.")), partial(fail, BackendTimeout("Too late.")))


async def test_of_reads_by_themselves_one_that_fails_or_never_ends_spoils_no_other() -> None:
    turn = anyio.Event()
    error = NotFound("There is none.")

    async def release() -> str:
        turn.set()
        return "released"

    reads = {
        "late": partial(give, "late", after=turn),
        "failed": partial(fail, error),
        "stuck": partial(give, "stuck", after=anyio.Event()),
        "release": release,
    }
    with anyio.fail_after(5):
        found, failed = await read_each(reads, within=0.2)
    assert found == {"late": "late", "release": "released"}
    assert failed["failed"] is error
    assert isinstance(failed["stuck"], BackendTimeout)
    assert set(failed) == {"failed", "stuck"}
