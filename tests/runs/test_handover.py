"""Work is either given up before it leaves, or its caller stays until it has left."""

import math

import anyio
import pytest

from opencode_mcp.runs.handover import Handover

pytestmark = pytest.mark.anyio


async def test_work_that_is_not_ready_by_the_deadline_is_given_up() -> None:
    handover = Handover(anyio.current_time() + 0.01)
    with handover.scope:
        await anyio.sleep_forever()
    assert handover.gave_up


async def test_work_whose_deadline_passed_unseen_does_not_leave() -> None:
    handover = Handover(anyio.current_time() - 1)
    left: list[str] = []
    with handover.scope:
        await handover.commit()
        left.append("the work")
    assert handover.gave_up
    assert not left


async def test_work_that_has_left_is_not_given_up() -> None:
    handover = Handover(anyio.current_time() + 60)
    with handover.scope as scope:
        await handover.commit()
        assert scope.deadline == math.inf
    assert not handover.gave_up


@pytest.mark.parametrize(("ahead", "seconds"), [(-10, 2), (1, 2), (100, 15), (math.inf, 15)])
async def test_what_is_left_lies_within_its_bounds(ahead: float, seconds: float) -> None:
    assert Handover(anyio.current_time() + ahead).left(least=2, most=15) == seconds
