"""Work is either given up before it leaves, or its caller stays until it has left."""

import math

import anyio
import pytest

from opencode_mcp.runs.starting.start_deadline import StartDeadline

pytestmark = pytest.mark.anyio


async def test_work_that_is_not_ready_by_the_deadline_is_given_up() -> None:
    start_deadline = StartDeadline(anyio.current_time() + 0.01)
    with start_deadline.scope:
        await anyio.sleep_forever()
    assert start_deadline.expired


async def test_work_whose_deadline_passed_unseen_is_not_sent() -> None:
    start_deadline = StartDeadline(anyio.current_time() - 1)
    left: list[str] = []
    with start_deadline.scope:
        await start_deadline.commit()
        left.append("the work")
    assert start_deadline.expired
    assert not left


async def test_work_that_has_left_is_not_given_up() -> None:
    start_deadline = StartDeadline(anyio.current_time() + 60)
    with start_deadline.scope as scope:
        await start_deadline.commit()
        assert scope.deadline == math.inf
    assert not start_deadline.expired


@pytest.mark.parametrize(("ahead", "seconds"), [(-10, 2), (1, 2), (100, 15), (math.inf, 15)])
async def test_what_is_left_lies_within_its_bounds(ahead: float, seconds: float) -> None:
    assert StartDeadline(anyio.current_time() + ahead).remaining(at_least=2, at_most=15) == seconds


async def test_the_wait_for_a_reply_can_end_before_the_deadline() -> None:
    now = anyio.current_time()
    assert StartDeadline(now + 60, reply_by=now).remaining(at_least=2, at_most=15) == 2
    assert StartDeadline(now, reply_by=now + 60).remaining(at_least=2, at_most=15) == 2
