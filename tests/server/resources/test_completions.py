"""Completion without OpenCode: what is cut, and what is not asked for."""

from collections.abc import Iterable, Mapping

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mcp_types import Completion

from opencode_mcp.errors import BackendUnavailable
from opencode_mcp.server.bridge import Bridge
from opencode_mcp.server.notifications.subscriptions import Subscriptions
from opencode_mcp.server.resources import completions
from opencode_mcp.server.resources.completions import SHOWN_VALUES, complete
from opencode_mcp.settings import Settings
from opencode_mcp.text.outside_text import is_plain

pytestmark = pytest.mark.anyio


async def completed(argument: str) -> Completion:
    """Complete an argument on a bridge that has not met OpenCode; it must not do so either."""
    bridge = Bridge(Settings(), anyio.create_task_group(), Subscriptions())
    found = await complete(bridge, argument, "", {})
    assert not bridge.in_use
    return found


async def test_what_nobody_can_complete_asks_nobody() -> None:
    assert await completed("task") == Completion(values=[], total=0, has_more=False)


@given(st.lists(st.text(max_size=3), max_size=SHOWN_VALUES + 20))
@example([str(number) for number in range(SHOWN_VALUES + 1)])
def test_each_value_is_offered_once_and_no_more_than_a_hundred(values: list[str]) -> None:
    async def source(_bridge: Bridge, _typed: str, _others: Mapping[str, str]) -> Iterable[str]:
        return values

    async def ask() -> Completion:
        return await completed("id")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(completions, "SOURCES", {"id": source})
        found = anyio.run(ask)
    once = [value for value in dict.fromkeys(values) if is_plain(value)]
    assert found.values == once[:SHOWN_VALUES]
    assert found.has_more == (len(once) > SHOWN_VALUES)
    assert found.total == (None if found.has_more else len(once))


async def test_a_person_who_types_is_not_bothered_with_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    async def source(_bridge: Bridge, _typed: str, _others: Mapping[str, str]) -> Iterable[str]:
        raise BackendUnavailable("gone")

    monkeypatch.setattr(completions, "SOURCES", {"id": source})
    assert await completed("id") == Completion(values=[], total=0, has_more=False)
