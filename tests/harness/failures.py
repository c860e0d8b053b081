"""Failures as tests want to see them."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast


@contextmanager
def unwrapped() -> Generator[None]:
    """Let a failure that task groups have wrapped through as itself, so that ``pytest.raises`` and people know it."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise _only(group) from None


def _only(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one failure in a group; the group itself if there are several."""
    first, *others = group.exceptions
    if others:
        return group
    if not isinstance(first, BaseExceptionGroup):
        return first
    return _only(cast("BaseExceptionGroup[BaseException]", first))
